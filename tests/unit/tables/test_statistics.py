"""Differences that are there are found, those that are not are not, and the number of comparisons counts."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import binomtest

from instruction_selection.tables import statistics

finite = st.floats(-100, 100)
right_or_wrong = st.integers(0, 1).map(float)
samples = st.one_of(st.lists(values, min_size=2, max_size=20) for values in (finite, right_or_wrong))
pairs = st.lists(st.tuples(right_or_wrong, right_or_wrong), min_size=2, max_size=40)


@given(samples)
def test_method__does_not_differ_from_itself(values):
    found = statistics.paired(np.array(values), np.array(values))
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


@pytest.mark.parametrize("test", ["mcnemar", "permutation"])
def test_planted_difference__is_found(test):
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
def test_mcnemar__compares_by_the_pairs_that_differ(values):
    first, second = np.array(values).T
    found = statistics.paired(first, second)
    wins, losses = int((first > second).sum()), int((first < second).sum())
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1
    assert found.p == pytest.approx(expected)
    assert found.difference == pytest.approx((wins - losses) / len(values))


def test_pairing__matters():
    """The same scores in another order are less certain, because how hard a sample is no longer cancels."""
    rng = np.random.default_rng(1)
    hard = rng.normal(scale=10, size=100)
    first = hard + 0.5 + rng.normal(size=100)
    together, apart = statistics.paired(first, hard), statistics.paired(first, rng.permutation(hard))
    assert together.p < 0.01 < apart.p
    assert together.high - together.low < (apart.high - apart.low) / 3


def test_intervals__hold_the_true_difference_about_as_often_as_they_say(monkeypatch):
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


def test_p_values__are_rarely_small_without_a_difference(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 199)
    rng = np.random.default_rng(3)
    small = [statistics.paired(rng.normal(size=40), rng.normal(size=40)).p < 0.05 for _ in range(300)]
    assert 0.01 <= np.mean(small) <= 0.09


@pytest.mark.parametrize("comparisons", [1, 10, 500])
def test_plain_difference__is_found_however_many_comparisons_there_are(comparisons):
    first = np.random.default_rng(4).normal(1, 0.1, size=30)
    found = statistics.paired(first, np.zeros(30), comparisons)
    assert statistics.holm([found.p, *[1.0] * (comparisons - 1)])[0] < statistics.LEVEL / 2


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_comparison__is_none_where_nothing_can_be_compared(broken):
    assert statistics.paired(np.array([1.0]), np.array([2.0])) is None
    assert statistics.paired(np.array([1.0, broken]), np.array([2.0, 1.0])) is None


# statsmodels takes a tenth of a second, however few they are.
@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm__keeps_the_order_and_only_raises(values):
    adjusted = statistics.holm(values)
    assert all(p <= corrected <= 1 for p, corrected in zip(values, adjusted, strict=True))
    assert min(adjusted) == pytest.approx(min(1, len(values) * min(values)))
    by_p = [corrected for _, corrected in sorted(zip(values, adjusted, strict=True))]
    assert by_p == sorted(by_p)


def test_holm__of_nothing_is_nothing():
    assert statistics.holm([]) == []


#: Of the methods below: two seeds of a side are few, and five are many for a laptop.
SEEDS = [(2, 2), (3, 3), (3, 5), (5, 5)]


def runs(rng, seeds, rows, deviation, right_or_wrong=False):
    """(seeds, rows) of a method on rows of its own difficulty, to which every seed adds what it has of `deviation`."""
    level = rng.normal(scale=0.5, size=rows) + rng.normal(scale=deviation, size=(seeds, 1))
    values = level + rng.normal(scale=0.5, size=(seeds, rows))
    return (values > 0).astype(float) if right_or_wrong else values


def false_positives(number, seeds, deviation, test, **other):
    rng = np.random.default_rng(5)
    found = [test(*(runs(rng, count, 50, deviation, **other) for count in seeds)) for _ in range(number)]
    return np.mean(found)


def without_resampling(monkeypatch):
    """The bootstrap and the permutations take most of the time, and have no part in the t-test."""
    rows = statistics.Comparison(0, 0, 0, 0, "permutation")
    monkeypatch.setattr(
        statistics, "paired", lambda first, second, _: dataclasses.replace(rows, difference=(first - second).mean())
    )
    monkeypatch.setattr(statistics, "hierarchical_bootstrap", lambda *_: (None, None))


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("deviation", [0, 0.1, 0.5])
@pytest.mark.parametrize("right_or_wrong", [False, True])
def test_seeds__that_vary_do_not_make_differences(monkeypatch, seeds, deviation, right_or_wrong):
    """Methods do not differ, their models do: about one comparison in twenty may be found to differ, or fewer."""
    without_resampling(monkeypatch)

    def rejected(first, second):
        found = statistics.compare(first, second)
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high)
        return found.p < 0.05

    # Three standard deviations of 1,000 draws above 5 %, and a little for Satterthwaite's approximation.
    assert false_positives(1000, seeds, deviation, rejected, right_or_wrong=right_or_wrong) < 0.075


def test_test_of_rows__ignores_seed_variance_and_percentile_intervals_underestimate_it(monkeypatch):
    monkeypatch.setattr(statistics, "HIERARCHICAL_RESAMPLES", 199)

    def by_rows(first, second):
        return stats.ttest_rel(first.mean(axis=0), second.mean(axis=0)).pvalue < 0.05

    def by_bootstrap(first, second):
        low, high = statistics.hierarchical_bootstrap(first, second)
        return not low <= 0 <= high

    found = [false_positives(300, (3, 3), 0.5, test) for test in (by_rows, by_bootstrap)]
    assert found[0] > 0.4
    assert 0.07 < found[1] < found[0] / 2


def test_bootstrap__has_the_variance_of_rows_and_of_seeds():
    """Up to the shares of it that resamples of n have; of a normal distribution an interval is 3.92 times as long."""
    rng = np.random.default_rng(6)
    first, second = runs(rng, 8, 200, 0.3), runs(rng, 12, 200, 0.3)
    low, high = statistics.hierarchical_bootstrap(first, second)
    found = statistics.compare(first, second)
    assert high - low == pytest.approx(found.high - found.low, rel=0.15)
    assert (low + high) / 2 == pytest.approx(found.difference, abs=0.05)


def test_welchs_test__is_scipys_on_the_means_of_seeds():
    rng = np.random.default_rng(7)
    first, second = runs(rng, 3, 40, 0.3) + 0.5, runs(rng, 5, 40, 0.1)
    found = statistics.compare(first, second)
    assert found.test == statistics.TWO_LEVELS
    assert found.welch_p == pytest.approx(stats.ttest_ind(first.mean(1), second.mean(1), equal_var=False).pvalue)
    # A constant instead of one side, as the untuned model is.
    constant = statistics.compare(first, second[:1], trained=(True, False))
    assert constant.welch_p == pytest.approx(stats.ttest_1samp(first.mean(1), second[0].mean()).pvalue)


def test_difference__that_rows_and_seeds_have_is_found():
    rng = np.random.default_rng(8)
    hard = rng.normal(scale=10, size=200)
    first, second = hard + runs(rng, 3, 200, 0.05) + 0.5, hard + runs(rng, 5, 200, 0.05)
    found = statistics.compare(first, second)
    assert found.p < 0.01
    assert 0 < found.low < found.difference < found.high
    back = statistics.compare(second, first)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize(
    ("seeds", "trained"), [((1, 5), (True, True)), ((5, 1), (True, True)), ((1, 1), (False, True))]
)
def test_single_run__of_a_trained_model_says_nothing_of_seeds(seeds, trained):
    rng = np.random.default_rng(9)
    first, second = (runs(rng, count, 40, 0.3) for count in seeds)
    found = statistics.compare(first, second, trained=trained)
    assert found == statistics.paired(first.mean(axis=0), second.mean(axis=0))
    assert found.welch_p is None


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1])
def test_equal_scores__do_not_differ_for_any_number_of_seeds(value):
    found = statistics.compare(np.full((3, 30), value), np.full((5, 30), value))
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_difference__without_any_variance_is_as_sure_as_rows_make_it():
    few, many = (statistics.compare(np.ones((2, rows)), np.zeros((2, rows))) for rows in (3, 20))
    assert (few.difference, few.p) == (1, 0.25)
    assert many.p < 0.001


def test_diverged_seed__is_not_compared():
    broken = np.ones((2, 5))
    broken[1, 3] = np.nan
    assert statistics.compare(broken, np.zeros((2, 5))) is None


@given(st.integers(1, 400), st.data())
def test_interval__of_a_share_has_a_length_and_holds_it(rows, data):
    share = data.draw(st.integers(0, rows)) / rows
    low, high = statistics.wilson(share, rows)
    assert 0 <= low <= share <= high <= 1
    assert high - low > 1 / (rows + 4)


def test_wilsons_interval__of_no_hits_is_the_textbooks():
    """z² / (n + z²), at z = 1.96."""
    assert statistics.wilson(0, 128) == pytest.approx((0, 3.8415 / (128 + 3.8415)), abs=1e-5)
