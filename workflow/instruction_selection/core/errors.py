"""The one error that a user is expected to cause."""

import re
from pathlib import Path

#: User name and password of an address.
CREDENTIALS = re.compile(r"://[^/@\s]*@")


class InputError(Exception):
    """Something the user gave is wrong: what, where, and what to do about it, in one sentence.

    `code` names the kind of mistake in kebab-case and stays when the sentence is reworded. `path` is the file, and
    `key` the dotted key, row or line in it. A user name and a password in an address are not repeated.
    """

    def __init__(self, code: str, sentence: str, *, path: str | Path | None = None, key: str | None = None):
        self.code = code
        self.path = None if path is None else str(path)
        self.key = key
        self.sentence = sentence
        where = "".join(f"{part}: " for part in (self.path, key) if part is not None)
        super().__init__(CREDENTIALS.sub("://***@", f"{where}{sentence.removesuffix('.')}."))

    def in_file(self, path: str | Path) -> "InputError":
        """The same, of a file that the place where it was found did not know; as it is if that knew one."""
        return self if self.path else InputError(self.code, self.sentence, path=path, key=self.key)
