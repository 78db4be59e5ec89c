"""A job's log file: everything it and its child processes print, with a failure's one sentence for the console."""

import contextlib
import os
import sys
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path

from instruction_selection.errors import InputError


@contextlib.contextmanager
def to_file(path: str | Path) -> Iterator[None]:
    """Send standard output and error, child processes' included, to `path`.

    An `InputError` ends the process with its sentence on the original standard error. Of any other exception the
    original standard error gets one line; the traceback follows in `path` when the interpreter ends.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    console = os.dup(2)
    with open(path, "w", buffering=1, encoding="utf-8") as log:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except InputError as error:
            print(error, file=sys.stderr, flush=True)
            os.write(console, f"\n{error}\n".encode())
            sys.exit(1)
        except Exception as error:
            line = textwrap.shorten("".join(traceback.format_exception_only(error)), 500)
            os.write(console, f"\n{line}, see {path}\n".encode())
            raise
