"""Differences that are there are found, those that are not are not, and the number of comparisons counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from instruction_selection.tables import statistics

finite = st.floats(-100, 100)
right_or_wrong = st.integers(0, 1).map(float)
samples = st.one_of(st.lists(values, min_size=2, max_size=20) for values in (finite, right_or_wrong))
pairs = st.lists(st.tuples(right_or_wrong, right_or_wrong), min_size=2, max_size=40)


@given(samples)
def test_a_method_does_not_differ_from_itself(values):
    found = statistics.paired(np.array(values), np.array(values))
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


@pytest.mark.parametrize("test", ["mcnemar", "permutation"])
def test_a_planted_difference_is_found(test):
    rng = np.random.default_rng(0)
    if test == "mcnemar":
        second = rng.integers(0, 2, 400).astype(float)
        # Of those that are wrong, a fifth are put right.
        first = np.where(rng.random(400) < 0.2, 1, second)
    else:
        second = rng.normal(size=400)
        first = second + rng.normal(0.3, 0.5, size=400)
    found = statistics.paired(first, second)
    assert found.test == test
    assert 0 < found.low < found.difference < found.high
    assert found.p < 0.001
    back = statistics.paired(second, first)
    assert back.difference == pytest.approx(-found.difference)
    assert back.p == pytest.approx(found.p)


@given(pairs)
def test_right_and_wrong_are_compared_by_the_pairs_that_differ(values):
    first, second = np.array(values).T
    found = statistics.paired(first, second)
    wins, losses = int((first > second).sum()), int((first < second).sum())
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1
    assert found.p == pytest.approx(expected)
    assert found.difference == pytest.approx((wins - losses) / len(values))


def test_what_is_paired_matters():
    """The same scores in another order are less certain, because how hard a sample is no longer cancels."""
    rng = np.random.default_rng(1)
    hard = rng.normal(scale=10, size=100)
    first = hard + 0.5 + rng.normal(size=100)
    together, apart = statistics.paired(first, hard), statistics.paired(first, rng.permutation(hard))
    assert together.p < 0.01 < apart.p
    assert together.high - together.low < (apart.high - apart.low) / 3


def test_intervals_hold_the_true_difference_about_as_often_as_they_say(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 499)
    rng = np.random.default_rng(2)
    held = []
    for _ in range(300):
        second = rng.exponential(size=60)
        first = second + rng.normal(0.2, 1, size=60)
        found = statistics.paired(first, second)
        held.append(found.low <= 0.2 <= found.high)
    # Three standard deviations of 300 draws, and a little for the percentile bootstrap at this size.
    assert 0.90 <= np.mean(held) <= 0.99


def test_without_a_difference_few_p_values_are_small(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 199)
    rng = np.random.default_rng(3)
    small = [statistics.paired(rng.normal(size=40), rng.normal(size=40)).p < 0.05 for _ in range(300)]
    assert 0.01 <= np.mean(small) <= 0.09


@pytest.mark.parametrize("comparisons", [1, 10, 500])
def test_a_plain_difference_is_found_however_many_comparisons_there_are(comparisons):
    first = np.random.default_rng(4).normal(1, 0.1, size=30)
    found = statistics.paired(first, np.zeros(30), comparisons)
    assert statistics.holm([found.p, *[1.0] * (comparisons - 1)])[0] < statistics.LEVEL / 2


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_cannot_be_compared_is_not(broken):
    assert statistics.paired(np.array([1.0]), np.array([2.0])) is None
    assert statistics.paired(np.array([1.0, broken]), np.array([2.0, 1.0])) is None


# statsmodels takes a tenth of a second, however few they are.
@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_only_raises(values):
    adjusted = statistics.holm(values)
    assert all(p <= corrected <= 1 for p, corrected in zip(values, adjusted, strict=True))
    assert min(adjusted) == pytest.approx(min(1, len(values) * min(values)))
    by_p = [corrected for _, corrected in sorted(zip(values, adjusted, strict=True))]
    assert by_p == sorted(by_p)


def test_holm_of_nothing_is_nothing():
    assert statistics.holm([]) == []


@given(st.lists(st.dictionaries(st.sampled_from("abc"), finite, min_size=3), min_size=1, max_size=4))
def test_a_sample_is_averaged_over_seeds(runs):
    averaged = statistics.over_seeds(runs)
    assert list(averaged) == list(runs[0])
    for name, value in averaged.items():
        assert value == pytest.approx(np.mean([run[name] for run in runs]), abs=1e-9)
