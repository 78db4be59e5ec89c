"""The seconds that a job worked, in a file beside its log.

Not counted is what every job does before, however much work there is: importing libraries, reading weights. Snakemake's
benchmark has the time of the whole job. The two tell the estimate start-up and work apart.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from instruction_selection.core import devices, files


@dataclass
class Work:
    """Seconds of work by the clock."""

    seconds: float
    #: The share of the job's work that was done in them; less than 1 if an earlier, killed run did the rest.
    share: float = 1.0


#: Of the job that is this process.
_done: list[Work] = []


def add(work: Work) -> None:
    """Count what a child process measured itself."""
    _done.append(work)


@contextlib.contextmanager
def timed() -> Iterator[Work]:
    """Count the time in the block, if it succeeds."""
    start, work = time.perf_counter(), Work(0.0)
    yield work
    work.seconds = time.perf_counter() - start
    add(work)


@contextlib.contextmanager
def recorded_beside(log: str | Path) -> Iterator[None]:
    """Write what was counted in the block to `path_of(log)`, if it succeeds and counted anything."""
    path = path_of(log)
    path.unlink(missing_ok=True)
    _done.clear()
    yield
    if _done:
        whole = Work(sum(work.seconds for work in _done), min(work.share for work in _done))
        files.write_json(path, {**asdict(whole), "gpu": devices.has_gpu()})


def path_of(log: str | Path) -> Path:
    """Where the record of the job with this log is."""
    return Path(log).with_suffix(".json")
