"""What torch's allocator really gives out."""

import itertools
from collections.abc import Callable

import torch


def peak_while(run: Callable[[], object]) -> int:
    """The most bytes that `run` has allocated at a time, on the CPU.

    From torch's profiler, to which the allocator reports each allocation and each release in bytes; it knows nothing of
    tensors and operations. (Resident memory of the process would show the allocator's caches and 500 MB of libraries
    instead.)
    """
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    return max(itertools.accumulate(event.nbytes() for event in events))
