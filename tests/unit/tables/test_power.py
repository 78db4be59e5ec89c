"""Variance components and power against simulations of the model that they assume."""

import numpy as np
import pytest

from instruction_selection.tables import statistics
from instruction_selection.tables.power import Components, power, smallest_difference

REPETITIONS = 1500


def simulated(components, rows, draws, difference=0.0, seed=0):
    """Differences of shape (draws, rows), again and again."""
    rng = np.random.default_rng(seed)
    for _ in range(REPETITIONS):
        yield (
            difference
            + rng.normal(0, components.rows**0.5, rows)
            + rng.normal(0, components.draws**0.5, (draws, 1))
            + rng.normal(0, components.rest**0.5, (draws, rows))
        )


def test_components__are_those_of_the_simulation_on_average():
    true = Components(rows=2.0, draws=0.5, rest=1.0)
    found = Components.mean([Components.of(each) for each in simulated(true, 40, 6)])
    assert found.rows == pytest.approx(2, rel=0.03)
    assert found.draws == pytest.approx(0.5, rel=0.06)
    assert found.rest == pytest.approx(1, rel=0.02)


def test_components__add_up_to_the_variance_of_the_mean():
    true = Components(rows=2.0, draws=0.5, rest=4.0)
    means = [each.mean() for each in simulated(true, 30, 5)]
    assert np.std(means) == pytest.approx(true.standard_error(30, 5), rel=0.06)


def test_components__are_never_negative_and_need_two_of_both():
    for each in list(simulated(Components(0, 0, 1), 10, 3))[:50]:
        found = Components.of(each)
        assert min(found.rows, found.draws, found.rest) >= 0
    with pytest.raises(ValueError, match="1 draws"):
        Components.of(np.zeros((1, 5)))


@pytest.mark.parametrize(
    ("components", "rows", "draws"),
    [
        (Components(rows=1, draws=0.2, rest=0.5), 100, 8),
        (Components(rows=1, draws=0.0, rest=4.0), 60, 5),
        (Components(rows=0.5, draws=1.0, rest=0.5), 200, 4),
        (Components(rows=9, draws=0.001, rest=1), 50, 8),
    ],
)
@pytest.mark.parametrize("comparisons", [1, 20])
def test_smallest_difference__is_found_as_often_as_asked(components, rows, draws, comparisons):
    size = smallest_difference(components, rows, draws, comparisons)
    assert power(size, components, rows, draws, statistics.LEVEL / comparisons) == pytest.approx(0.8, abs=1e-6)
    found = [
        statistics.two_levels(each)[2] < statistics.LEVEL / comparisons
        for each in simulated(components, rows, draws, size)
    ]
    # Four standard errors of the simulation, and the noncentral t is an approximation.
    assert np.mean(found) == pytest.approx(0.8, abs=4 * (0.8 * 0.2 / REPETITIONS) ** 0.5 + 0.02)


def test_two_levels__calls_no_difference_at_most_as_often_as_its_level():
    components = Components(rows=1, draws=0.2, rest=0.5)
    found = [statistics.two_levels(each)[2] < statistics.LEVEL for each in simulated(components, 100, 8)]
    assert np.mean(found) < statistics.LEVEL + 4 * (0.05 * 0.95 / REPETITIONS) ** 0.5


def test_smallest_difference__gets_smaller_with_rows_and_with_draws_and_larger_with_comparisons():
    components = Components(rows=1, draws=0.2, rest=0.5)
    size = smallest_difference(components, 100, 8)
    assert smallest_difference(components, 400, 8) < size
    assert smallest_difference(components, 100, 16) < size
    assert smallest_difference(components, 100, 8, comparisons=10) > size
    assert smallest_difference(Components(0, 0, 0), 100, 8) == 0
