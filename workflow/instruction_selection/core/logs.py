"""A job's log file: everything it and its child processes print, with a failure's one sentence for the console."""

import contextlib
import errno
import fcntl
import os
import shutil
import sys
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path

from instruction_selection.core import memory, processes, worked
from instruction_selection.core.errors import InputError


@contextlib.contextmanager
def to_file(path: str | Path) -> Iterator[None]:
    """Send standard output and error, child processes' included, to `path`.

    An `InputError` ends the process with its sentence on the original standard error; so do a full disk and a lack of
    memory. Any other exception puts one line on the original standard error, and its traceback into `path`.

    Libraries keep their caches in a folder beside the log, which is removed at the end; import them inside.

    How long the job worked is recorded beside `path` (`worked`).

    The job is locked while this process or a child of it lives, so that a second run cannot write to the same files as
    the remains of a killed one.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    console = os.dup(2)
    try:
        _lock(Path(path))
    except InputError as error:
        os.write(console, f"\n{error}\n".encode())
        sys.exit(1)
    caches = Path(path).with_name(f".{Path(path).name}.caches")
    # Left by a job that was killed.
    shutil.rmtree(caches, ignore_errors=True)
    os.environ.update(processes.environment(caches))
    with open(path, "w", buffering=1, encoding="utf-8") as log:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            with worked.recorded_beside(path):
                yield
        except InputError as error:
            os.write(console, f"\n{error}\n".encode())
            print(error, file=sys.stderr, flush=True)
            sys.exit(1)
        except Exception as error:
            if sentence := _resource_problem(error, path):
                os.write(console, f"\n{sentence}\n".encode())
                with contextlib.suppress(OSError):
                    traceback.print_exc()
                sys.exit(1)
            line = textwrap.shorten("".join(traceback.format_exception_only(error)), 500)
            os.write(console, f"\n{line}, see {path}\n".encode())
            raise
        finally:
            shutil.rmtree(caches, ignore_errors=True)


def _lock(log: Path) -> None:
    """Lock the job until every process that inherits the lock has ended. Raises `InputError` if it is locked already.

    The lock is a file beside the log, because Snakemake removes the log itself before it starts a job. It becomes this
    process's standard input, from which jobs read nothing, so that child processes inherit it.
    """
    lock = os.open(log.with_name(f".{log.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.read(lock, 20).decode()
        raise InputError(
            "still-running",
            f"this job is still running as process {process}, left by an earlier run that was killed; wait for it to "
            "end, or kill it and its children, and run again",
            path=log,
        ) from None
    except OSError as error:
        print(f"{log}: this file system has no locks ({error}); do not start a second run.", file=sys.stderr)
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    os.dup2(lock, 0)
    os.close(lock)


def _resource_problem(error: BaseException, log: str | Path) -> str | None:
    """What to do about a full disk, a quota or a lack of memory, if one of them caused this exception."""
    if what := memory.lack(error):
        return f"{log}: {memory.sentence(what)}."
    cause: BaseException | None = error
    while cause is not None:
        # HDF5 reports it only in its message.
        if getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(cause):
            place = getattr(cause, "filename", None) or log
            return f"The disk is full ({place}): make room and run again; finished results are kept."
        cause = cause.__cause__ or cause.__context__
    return None
