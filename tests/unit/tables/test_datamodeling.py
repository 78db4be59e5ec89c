"""The linear datamodeling score of effects that were planted."""

import numpy as np
import pytest
from scipy import stats

from instruction_selection.tables.datamodeling import linear_datamodeling_score

ROWS, SUBSETS, CHOSEN = 40, 200, 10


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def members(rng) -> np.ndarray:
    return subsets(rng, SUBSETS)


def subsets(rng, count: int) -> np.ndarray:
    """bool (count, ROWS): random subsets of `CHOSEN` rows."""
    return np.argsort(rng.random((count, ROWS)), axis=1) < CHOSEN


def test_score__of_the_true_effects_is_one_and_falls_with_noise(rng, members):
    effects = rng.normal(size=ROWS)
    outcomes = members @ effects
    values = [
        linear_datamodeling_score(effects, members, outcomes + rng.normal(0, noise, SUBSETS)).value
        for noise in (0, 1, 5, 25)
    ]
    assert values[0] == pytest.approx(1)
    assert values == sorted(values, reverse=True)
    assert linear_datamodeling_score(-effects, members, outcomes).value == pytest.approx(-1)


def test_score__of_other_rows_effects_is_near_zero(rng, members):
    effects = rng.normal(size=ROWS)
    found = [linear_datamodeling_score(rng.permutation(effects), members, members @ effects).value for _ in range(20)]
    # The standard deviation of single ones is about that of the correlation of two permutations of the rows.
    assert abs(np.mean(found)) < 3 / np.sqrt(20 * (ROWS - 1))


def test_score__is_spearmans(rng, members):
    scores, outcomes = rng.normal(size=ROWS).round(), rng.normal(size=SUBSETS).round(1)
    expected = stats.spearmanr(members @ scores, outcomes).statistic
    assert linear_datamodeling_score(scores, members, outcomes).value == pytest.approx(expected)


def test_score__ignores_units_and_any_increasing_change_of_the_outcome(rng, members):
    scores = rng.normal(size=ROWS)
    outcomes = members @ scores + rng.normal(0, 3, SUBSETS)
    found = linear_datamodeling_score(scores, members, outcomes)
    assert linear_datamodeling_score(7 * scores - 3, members, outcomes) == found
    assert linear_datamodeling_score(scores, members, np.exp(outcomes / 9)) == found
    turned = linear_datamodeling_score(scores, members, -outcomes)
    assert (turned.value, turned.low, turned.high) == pytest.approx((-found.value, -found.high, -found.low), abs=0.02)


def test_score__a_row_without_one_counts_as_the_mean_of_the_others(rng, members):
    scores = rng.normal(size=ROWS)
    outcomes = members @ scores + rng.normal(0, 3, SUBSETS)
    scores[[3, 17]] = np.nan
    filled = np.where(np.isnan(scores), np.nanmean(scores), scores)
    found = linear_datamodeling_score(scores, members, outcomes)
    assert found == linear_datamodeling_score(filled, members, outcomes)
    assert found != linear_datamodeling_score(np.nan_to_num(scores - 5), members, outcomes)


@pytest.mark.parametrize("scores", [np.full(ROWS, 0.1), np.full(ROWS, np.nan)], ids=["equal", "none"])
def test_score__that_ranks_nothing_is_none(scores, members):
    assert linear_datamodeling_score(scores, members, members[:, 0] * 1.0) is None


def test_score__where_all_models_are_the_same_is_none(rng, members):
    assert linear_datamodeling_score(rng.normal(size=ROWS), members, np.ones(SUBSETS)) is None


def test_given__is_the_correlation_of_what_is_left_of_the_ranks(rng, members):
    scores, lengths = rng.normal(size=ROWS), rng.integers(10, 500, size=ROWS)
    sums, given = members @ scores, members @ lengths
    outcomes = sums + given / 50 + rng.normal(0, 3, SUBSETS)
    ranks = [stats.rankdata(column) for column in (sums, outcomes, given)]
    design = np.stack([ranks[2], np.ones(SUBSETS)], axis=1)
    one, other = (column - design @ np.linalg.lstsq(design, column)[0] for column in ranks[:2])
    expected = stats.pearsonr(one, other).statistic
    found = linear_datamodeling_score(scores, members, outcomes, given)
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high


def test_given__takes_away_what_is_known_without_the_scores(rng, members):
    effects, lengths = rng.normal(size=ROWS), rng.normal(size=ROWS)
    given = members @ lengths
    outcomes = members @ effects + 3 * given
    of_length = linear_datamodeling_score(lengths + rng.normal(0, 0.3, ROWS), members, outcomes)
    of_length_given = linear_datamodeling_score(lengths + rng.normal(0, 0.3, ROWS), members, outcomes, given)
    assert of_length.value > 0.8 > 0.3 > abs(of_length_given.value)
    assert linear_datamodeling_score(effects, members, outcomes, given).value > 0.8


@pytest.mark.parametrize("direction", [1, -1])
def test_given__what_is_ranked_alike_is_none(rng, members, direction):
    scores = rng.normal(size=ROWS)
    outcomes = members @ scores + rng.normal(0, 3, SUBSETS)
    assert linear_datamodeling_score(scores, members, outcomes, direction * members @ scores) is None
    assert linear_datamodeling_score(scores, members, outcomes, direction * outcomes) is None


def test_interval__has_the_true_correlation_about_as_often_as_it_says(rng):
    effects = rng.normal(size=ROWS)
    scores = effects + rng.normal(0, 1.5, ROWS)
    many = subsets(rng, 200_000)
    truth = stats.spearmanr(many @ scores, many @ effects + rng.normal(0, 3, len(many))).statistic
    assert 0.2 < truth < 0.8
    covered = 0
    for _ in range(60):
        members = subsets(rng, 40)
        found = linear_datamodeling_score(scores, members, members @ effects + rng.normal(0, 3, 40))
        assert found.low < found.value < found.high
        covered += found.low <= truth <= found.high
    # 57 are expected; of fewer than 51 there would be less than one in a hundred.
    assert covered >= 51


def test_interval__does_not_break_where_resamples_rank_nothing(rng, members):
    scores = np.zeros(ROWS)
    scores[0] = 1
    few = np.concatenate([members[members[:, 0]][:1], members[~members[:, 0]][:11]])
    found = linear_datamodeling_score(scores, few, np.arange(12.0))
    assert np.isfinite([found.value, found.low, found.high]).all()
