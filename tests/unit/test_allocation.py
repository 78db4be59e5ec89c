"""The allocator's peak, with which predicted memory is compared, is that of what ran."""

import torch
from support.allocation import peak_while

MIB = 2**20


def block(mebibytes: int) -> torch.Tensor:
    return torch.empty(mebibytes * MIB, dtype=torch.uint8)


def test_peak__is_of_what_is_held_at_a_time():
    def run():
        first = block(30)
        del first
        second, third = block(20), block(25)
        del second, third

    assert peak_while(run) == 45 * MIB


def test_peak__knows_nothing_of_what_was_allocated_before():
    """torch's profiler takes the size of a block from an earlier profile that saw one at the same address.

    The allocator may give any address; of twenty blocks one nearly always lies where the first one lay.
    """
    held = []
    assert peak_while(lambda: held.append(block(40))) == 40 * MIB
    held.clear()
    held += [block(40) for _ in range(20)]

    def run():
        held.clear()
        block(100)

    assert peak_while(run) == 100 * MIB
