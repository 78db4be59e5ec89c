"""The one error that a user is expected to cause."""


class InputError(Exception):
    """Something the user gave is wrong; the message is one sentence naming the file, key or row."""
