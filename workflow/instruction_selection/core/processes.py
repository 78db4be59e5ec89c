"""Programs that a job starts."""

import signal
from pathlib import Path

from instruction_selection.core.errors import InputError


def check_exit(program: str, status: int, at: str | Path) -> None:
    """Raise `InputError` unless `program` succeeded; `status` is `subprocess`'s return code, `at` what it worked on."""
    if status < 0:
        raise InputError("killed", describe_exit(program, status, at))
    if status > 0:
        raise InputError("failed", describe_exit(program, status, at))


def describe_exit(program: str, status: int, at: str | Path) -> str:
    """How a program that failed ended, and what to do about it."""
    if status >= 0:
        return f"{program} ended with exit status {status} while running {at}; its own message is in this job's log."
    name = signal.Signals(-status).name
    reason = " (out of memory?)" if -status == signal.SIGKILL else ""
    return f"{program} was killed by {name}{reason} while running {at}. Run the same command again to resume."
