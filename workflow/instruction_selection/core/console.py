"""What a run prints: one line for each finished job, with a bar below them in a terminal, and its tables at the end.

Snakemake's log file in ``.snakemake/log`` keeps everything, the reason of every job included. ``--verbose`` shows it.
"""

import logging
import os
import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

#: Events of Snakemake that a line for each job replaces.
REPLACED = {"job_info", "job_started", "job_finished", "progress", "shellcmd", "resources_info", "workflow_started"}
#: Beginnings of what it says without an event, and what no one can act on.
ROUTINE = (
    "Using workflow specific profile",
    "Assuming unrestricted shared filesystem",
    "Using shell:",
    "Select jobs to execute",
    "Conda environments: ignored",
    "Singularity containers: ignored",
    "Group jobs: inactive",
)
BAR = 24
#: A blank terminal line, from its beginning.
CLEAR = "\r\033[K"


class OneLinePerJob(logging.Handler):
    """Stands before Snakemake's own handler, which prints everything that is not about the course of jobs."""

    def __init__(self, snakemakes: logging.StreamHandler):
        super().__init__(snakemakes.level)
        self._snakemakes = snakemakes
        self._stream: TextIO = snakemakes.stream
        self._terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        #: Job id -> (when it started, or was submitted; rule; message).
        self._started: dict[int, tuple[float, str, str]] = {}
        #: Finished since Snakemake last said how many are.
        self._finished: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == "job_info":
            message = " ".join((getattr(record, "rule_msg", None) or "").split())
            self._started[record.jobid] = (time.monotonic(), record.rule_name, message)  # pyright: ignore[reportAttributeAccessIssue] (Snakemake's extras)
        elif event == "job_finished":
            self._finished.append(record.job_id)  # pyright: ignore[reportAttributeAccessIssue] (Snakemake's extras)
        elif event == "job_error":
            self._started.pop(getattr(record, "jobid", -1), None)
        # Its filter knows `--quiet`.
        if not self._snakemakes.filter(record):
            return
        if event == "progress":
            self._progress(record.done, record.total)  # pyright: ignore[reportAttributeAccessIssue] (Snakemake's extras)
        elif event not in REPLACED and not (event is None and record.getMessage().startswith(ROUTINE)):
            if self._terminal:
                self._stream.write(CLEAR)
            self._snakemakes.emit(record)

    def _progress(self, done: int, total: int) -> None:
        if self._terminal:
            self._stream.write(CLEAR)
        for count, job in enumerate(self._finished, done - len(self._finished) + 1):
            started, rule, message = self._started.pop(job, (time.monotonic(), "", ""))
            self._stream.write(f"{line(count, total, time.monotonic() - started, rule, message)}\n")
        self._finished.clear()
        if self._terminal and done < total:
            text = f"{bar(done, total)} {done}/{total}, {len(self._started)} running, {total - done} left"
            self._stream.write(text[: shutil.get_terminal_size().columns - 1])
        self._stream.flush()


def line(count: int, total: int, seconds: float, rule: str, message: str) -> str:
    """Of a finished job: how many are, how long it took (on a cluster with its time in the queue), and what it did."""
    width = len(str(total))
    return f"{count:>{width}}/{total} {duration(seconds):>8}  {rule:<22} {message}".rstrip()


def bar(done: int, total: int) -> str:
    filled = BAR * done // total
    return "█" * filled + "░" * (BAR - filled)


def duration(seconds: float) -> str:
    """h:mm:ss, without hours that are none."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def install(logger: logging.Logger) -> None:
    """Put `OneLinePerJob` in the place of Snakemake's console handler, if there is one."""
    for handler in list(logger.handlers):
        if isinstance(handler, logging.StreamHandler) and handler.name == "DefaultStreamHandler":
            logger.removeHandler(handler)
            logger.addHandler(OneLinePerJob(handler))


def tables(paths: Iterable[str | Path]) -> str:
    """The headings and pipe tables of Markdown files, without captions and notes, for a terminal."""
    shown = []
    for path in paths:
        for text in Path(path).read_text(encoding="utf-8").splitlines():
            if text.startswith("#"):
                shown += ["", text.lstrip("# ")]
            elif text.startswith("|"):
                cells = re.split(r"(?<!\\)\|", text)
                # Nothing here is read as Markdown; the columns stay as wide.
                shown.append("|".join(re.sub(r"\\(?=\W)", "", cell).ljust(len(cell)) for cell in cells))
    return "\n".join(shown)
