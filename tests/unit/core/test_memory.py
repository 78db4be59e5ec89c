"""A lack of memory is recognised, whoever raises it."""

import pytest
import torch

from instruction_selection.core import memory


@pytest.mark.parametrize(
    "allocate", [lambda: torch.empty(10**15), lambda: bytearray(10**17)], ids=["torch on the CPU", "Python"]
)
def test_lack__of_an_allocation_that_fails(allocate):
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        allocate()
    assert memory.lack(caught.value)
    assert memory.lack(ValueError("x")) is None
    outer = ValueError("the job failed")
    outer.__cause__ = caught.value
    assert memory.lack(outer) == memory.lack(caught.value)


def test_lack__of_a_gpu():
    """Of its exception, because there may be no GPU here."""
    assert memory.lack(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 TiB")).startswith("CUDA")


def test_lack__is_not_every_error_of_torch():
    with pytest.raises(RuntimeError) as caught:
        torch.ones(2) @ torch.ones(3)
    assert memory.lack(caught.value) is None
