"""A job's log file: everything it and its child processes print, with a failure's one sentence for the console."""

import contextlib
import errno
import fcntl
import os
import sys
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path

from instruction_selection.core.errors import InputError


@contextlib.contextmanager
def to_file(path: str | Path) -> Iterator[None]:
    """Send standard output and error, child processes' included, to `path`.

    An `InputError` ends the process with its sentence on the original standard error; so do a full disk and too little
    memory. Of any other exception the original standard error gets one line; the traceback follows in `path` when the
    interpreter ends.

    While this process or a child of it lives, the job is locked: what an earlier run left behind is not joined by a
    second one that writes to the same files.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    console = os.dup(2)
    try:
        _lock(Path(path))
    except InputError as error:
        os.write(console, f"\n{error}\n".encode())
        sys.exit(1)
    with open(path, "w", buffering=1, encoding="utf-8") as log:
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
            if sentence := _no_fault(error, path):
                os.write(console, f"\n{sentence}\n".encode())
                with contextlib.suppress(OSError):
                    traceback.print_exc()
                sys.exit(1)
            line = textwrap.shorten("".join(traceback.format_exception_only(error)), 500)
            os.write(console, f"\n{line}, see {path}\n".encode())
            raise


def _lock(log: Path) -> None:
    """Held until every process that inherits it has ended. `InputError` if another job has it.

    It is a file beside the log, which Snakemake removes before it starts a job, and becomes this process's standard
    input: jobs read nothing there, and child processes have it, too.
    """
    lock = os.open(log.with_name(f".{log.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.read(lock, 20).decode()
        raise InputError(
            "still-running",
            f"{log}: this job is still running, since process {process}, left by an earlier run that was killed; let "
            "it end, or kill it and its children, and run again.",
        ) from None
    except OSError as error:
        print(f"{log}: no locks on this file system ({error}); nothing keeps a second run away.", file=sys.stderr)
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    os.dup2(lock, 0)
    os.close(lock)


def _no_fault(error: BaseException | None, log: str | Path) -> str | None:
    """What to do where a full disk, a quota or too little memory is behind an exception of any library."""
    while error is not None:
        # HDF5 tells it in its text only.
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(error):
            place = getattr(error, "filename", None) or log
            return f"The disk is full ({place}): make room and run again; what is there is kept."
        # By name: this must not import torch.
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            what = textwrap.shorten(str(error), 200)
            return (
                f"Out of memory ({what}), see {log}: give the job more, or make its batches smaller "
                "(gradients.batch_tokens, per_device_train_batch_size, cutoff_len), and run again."
            )
        error = error.__cause__ or error.__context__
    return None
