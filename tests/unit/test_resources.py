"""What jobs ask for grows with what they work on, and follows from the stated unit costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection import resources
from instruction_selection.walk import quantised

SIZES = st.integers(1, 10**7)


@given(SIZES, SIZES, st.integers(1, 8))
def test_more_rows_take_longer_and_more_gpus_less_long(rows, more, gpus):
    def runtime(rows, gpus):
        return resources.training_runtime(8 * 10**9, rows, 2048, gpus, 8)

    assert runtime(rows + more, gpus) >= runtime(rows, gpus) >= runtime(rows, gpus + 1) >= resources.START


@given(SIZES, st.sampled_from([256, 8192]))
def test_the_copies_of_a_walk_fit_into_the_memory_of_a_selection(rows, dimension):
    """All numbers of a row in a byte each, and what 30 walks know of it, in 30 bytes each."""
    copies = rows * (dimension + 30 * 30)
    text = resources.data_memory(rows) - resources.PYTHON
    assert resources.selection_memory(rows, dimension) > text + quantised.RESERVED_MIB + copies / 2**20


@pytest.mark.parametrize(("gpus", "gigabytes"), [(0, 67), (1, 19), (4, 76)])
def test_memory_for_a_model_of_eight_billion_parameters(gpus, gigabytes):
    """Without a GPU the weights stay, in float32 and a copy; with several each process has its own on the way."""
    assert resources.model_memory(8 * 10**9, gpus) == gigabytes * 1000


def test_the_demo_asks_for_what_was_measured_and_not_ten_times_as_much():
    """Fine-tuning SmolLM2-135M on 480 rows for two epochs took 5.1 minutes and 2.9 GB."""
    assert 5.1 < resources.training_runtime(134515008, 2 * 480, 256, 0, 1) < 120
    assert 2900 < resources.model_memory(134515008, 0) < 8000
