"""`InputError` as modules raise it whose mistakes have no codes yet."""

from instruction_selection.core import errors


class InputError(errors.InputError):
    """The message is one sentence naming the file, key or row."""

    def __init__(self, message: str):
        super().__init__("input", message)
