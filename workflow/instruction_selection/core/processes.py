"""Programs that a job starts."""

import signal


def ending(status: int) -> str:
    """How a program ended, by what `subprocess` calls its return code, and what to do where a signal ended it."""
    if status >= 0:
        return f"ended with exit status {status}"
    name = signal.Signals(-status).name
    reason = ", as a system short of memory does" if -status == signal.SIGKILL else ""
    return f"was killed ({name}{reason}); run again, and it goes on from what is there; it was at work"
