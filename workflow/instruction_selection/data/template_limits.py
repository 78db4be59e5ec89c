"""Limits on the time and memory that the templates of a row may take."""

import os
import resource
import signal

#: Seconds of processor time, so that a busy machine does not matter.
SECONDS = 1.0
#: Bytes, in addition to what the process has.
MEMORY = 1 << 29
#: Characters of one text.
CHARACTERS = 10_000_000
#: Linux's file with the pages of a process; memory is limited only where it exists.
PAGES = "/proc/self/statm"
PAGE = os.sysconf("SC_PAGE_SIZE")


class LimitError(Exception):
    """A template took too long, or wrote too much."""


class Limits:
    """A context for one row after the other: raises `LimitError` when the block inside exceeds a limit.

    For the main thread only, because it needs signals.
    """

    def __init__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_AS)
        self._known = os.path.exists(PAGES)
        signal.signal(signal.SIGPROF, _stop)

    def __enter__(self) -> None:
        if self._known:
            soft, hard = self._before
            most = _used() + MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (most if soft == resource.RLIM_INFINITY else min(most, soft), hard))
        signal.setitimer(signal.ITIMER_PROF, SECONDS)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, self._before)
        if isinstance(error, MemoryError):
            raise LimitError(f"it takes more than {MEMORY >> 20} MiB of memory") from error


def _used() -> int:
    """Bytes of the process's address space. Called for every row, so without Python's file objects."""
    handle = os.open(PAGES, os.O_RDONLY)
    try:
        return int(os.read(handle, 64).split()[0]) * PAGE
    finally:
        os.close(handle)


def _stop(*_) -> None:
    raise LimitError(f"it takes longer than {SECONDS:g} s")
