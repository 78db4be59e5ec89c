"""Ends the Python process that imports it, by SIGKILL, when it is about to do what KILL_AT names.

KILL_AT is an audit event of Python (`open`, `os.rename`), a blank, and a pattern of the path: the file that is opened
for writing, or the name that a file is given. Nothing of the program is replaced.
"""

import os
import signal
import sys
from fnmatch import fnmatchcase

event, pattern = os.environ["KILL_AT"].split(" ")


def kill(name: str, arguments: tuple) -> None:
    if name == event:
        path = arguments[1] if event == "os.rename" else arguments[0]
        reads = event == "open" and arguments[1] == "r"
        if not reads and fnmatchcase(str(path), pattern):
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(kill)
