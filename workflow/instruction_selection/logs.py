"""A job's log file: everything it and its child processes print, with a failure's one sentence for the console."""

import contextlib
import errno
import fcntl
import os
import re
import sys
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from instruction_selection.errors import InputError


@contextlib.contextmanager
def to_file(path: str | Path) -> Iterator[None]:
    """Send standard output and error, child processes' included, to `path`.

    An `InputError` ends the process with its sentence on the original standard error; so does a full disk. Of any other
    exception the original standard error gets one line; the traceback follows in `path` when the interpreter ends.

    While this process or a child of it lives, the log is locked: a job that an earlier run left behind is not joined
    by a second one that writes to the same files.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    console = os.dup(2)
    with open(path, "a", buffering=1, encoding="utf-8") as log:
        try:
            _lock(log)
        except InputError as error:
            os.write(console, f"\n{error}\n".encode())
            sys.exit(1)
        log.truncate(0)
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except InputError as error:
            os.write(console, f"\n{error}\n".encode())
            print(error, file=sys.stderr, flush=True)
            sys.exit(1)
        except Exception as error:
            if _is_full(error):
                place = getattr(error, "filename", None) or path
                os.write(
                    console, f"\nThe disk is full ({place}): make room and run again; what is there is kept.\n".encode()
                )
                with contextlib.suppress(OSError):
                    traceback.print_exc()
                sys.exit(1)
            line = textwrap.shorten("".join(traceback.format_exception_only(error)), 500)
            os.write(console, f"\n{line}, see {path}\n".encode())
            raise


def _lock(log: TextIO) -> None:
    """Held until every process that inherits the file has ended. `InputError` if another one holds it."""
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"{log.name}: this job is still running{_holders(log)}, left by an earlier run that was killed; let it end "
            "or kill it, and run again."
        ) from None
    except OSError as error:
        print(f"{log.name}: this file system has no locks ({error}); nothing keeps a second run away.", file=sys.stderr)


def _holders(log: TextIO) -> str:
    """Which processes hold the lock, as far as the system tells."""
    try:
        locks = Path("/proc/locks").read_text()
    except OSError:
        return ""
    inode = os.fstat(log.fileno()).st_ino
    found = re.findall(rf"FLOCK +ADVISORY +WRITE +(\d+) +\S+:{inode} ", locks)
    return f" in process {found[0]}" if found else ""


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk or a quota is behind an exception; HDF5 tells it in its text only."""
    while error is not None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
