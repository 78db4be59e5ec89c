"""What torch's allocator really gives out."""

from collections.abc import Callable, Iterator

import torch


def peak_while(run: Callable[[], object]) -> int:
    """The most bytes that `run` has allocated at a time, on the CPU.

    From torch's profiler, to which the allocator reports each allocation and each release in bytes; it knows nothing of
    tensors and operations. (Resident memory of the process would show the allocator's caches and 500 MB of libraries
    instead.) What was allocated before `run` is not counted when `run` releases it: the profiler may report it with the
    size of what an earlier profile saw at that address.
    """
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    held: dict[int, int] = {}
    now = peak = 0
    for address, size in allocations(profile):
        if size > 0:
            held[address] = size
            now += size
        else:
            now -= held.pop(address, 0)
        peak = max(peak, now)
    return peak


def allocations(profile: torch.profiler.profile) -> Iterator[tuple[int, int]]:
    """(address, bytes) of each allocation, and of each release with negative bytes, in the order in which they were."""
    tree = list(profile.profiler.kineto_results.experimental_event_tree())
    events = []
    while tree:
        event = tree.pop()
        tree += event.children
        if event.name == "[memory]":
            events.append(event)
    for event in sorted(events, key=lambda event: event.start_time_ns):
        yield event.extra_fields.ptr, event.extra_fields.alloc_size
