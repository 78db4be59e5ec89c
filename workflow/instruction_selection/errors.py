"""The one error that a user is expected to cause."""

import re


class InputError(Exception):
    """Something the user gave is wrong; the message is one sentence naming the file, key or row.

    A user name and a password in an address are not repeated.
    """

    def __init__(self, message: str):
        super().__init__(re.sub(r"://[^/@\s]*@", "://***@", message))
