"""Exceptions that are a lack of memory, and what to do about it. Nothing of torch is imported here."""

import textwrap

#: In the message of torch's allocator for the CPU, which raises a plain `RuntimeError`.
ALLOCATOR = "can't allocate memory"


def lack(error: BaseException | None) -> str | None:
    """What an exception, or one that caused it, says of a lack of memory; None if it is something else."""
    while error is not None:
        kind = type(error).__name__
        if isinstance(error, MemoryError) or kind == "OutOfMemoryError" or ALLOCATOR in str(error):
            return textwrap.shorten(str(error), 120) or kind
        error = error.__cause__ or error.__context__
    return None


def sentence(what: str) -> str:
    """For a user, from what `lack` returned."""
    return (
        f"out of memory ({what}); give the job more memory, or make its batches smaller (gradients.batch_tokens, "
        "per_device_train_batch_size, cutoff_len), and run again"
    )
