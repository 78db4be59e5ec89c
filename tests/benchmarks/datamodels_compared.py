"""Whether one score predicts the losses of models tuned on random subsets better than another does.

.venv/bin/python tests/benchmarks/datamodels_compared.py datamodels docs/findings/datamodels-compared.csv

The first argument is an experiment with finished random subsets. Both scores of a pair are correlated with the metric
over the same subsets, so the interval of the difference is by resampling these for both at once. findings.py makes the
table.
"""

import sys
from collections.abc import Iterator

import ablations as made
import numpy as np
from scipy import stats

from instruction_selection.tables import ranks
from instruction_selection.tables.statistics import LEVEL, RESAMPLES

OWN = ("", "the target's own task")
#: (representation, way of choosing) of both scores.
PAIRS = [
    ((made.ADAM, made.NEAREST), (made.ADAM, made.LESS)),
    ((made.EMBEDDINGS, made.NEAREST), (made.EMBEDDINGS, made.LESS)),
    ((made.HIDDEN, made.NEAREST), (made.HIDDEN, made.LESS)),
    ((made.ADAM, made.LESS), (made.PLAIN, made.LESS)),
    ((made.ADAM, made.NEAREST), (made.PLAIN, made.NEAREST)),
    ((made.ADAM, made.LESS), (made.ADAM_LAST, made.LESS)),
    ((made.ADAM, made.LESS), (made.EMBEDDINGS, made.LESS)),
    ((made.ADAM, made.NEAREST), (made.EMBEDDINGS, made.NEAREST)),
    ((made.ADAM, made.NEAREST), (made.HIDDEN, made.NEAREST)),
    ((made.ADAM, made.NEAREST), (made.WORDS, made.BM25)),
    ((made.ADAM, made.NEAREST), OWN),
    ((made.EMBEDDINGS, made.NEAREST), OWN),
]


def difference(
    first: np.ndarray, second: np.ndarray, outcomes: np.ndarray, given: np.ndarray | None
) -> tuple[float, float, float]:
    """The rank correlation of `first` with `outcomes` minus that of `second`, all of shape (S,), and its 95 % interval;
    with `given` of the partial correlations."""

    def found(one: np.ndarray, other: np.ndarray, *known: np.ndarray, axis: int = -1) -> np.ndarray:
        return ranks.correlation(one, *known) - ranks.correlation(other, *known)

    columns = (first, second, outcomes) if given is None else (first, second, outcomes, given)
    [value] = found(*(column[None] for column in columns))
    low, high = stats.bootstrap(
        columns, found, paired=True, n_resamples=RESAMPLES, confidence_level=1 - LEVEL, method="percentile", rng=0
    ).confidence_interval
    return float(value), float(low), float(high)


def lines(name: str) -> Iterator[dict[str, object]]:
    for target, inputs, own, members, outcomes, lengths in made.evaluated_subsets(name):
        sums = {(representation, choice): members @ values for representation, choice, values in made.scores(inputs)}
        sums[OWN] = members @ own.astype(float)
        for first, second in PAIRS:
            # The pool may have no row of the target's own tasks.
            if any(np.ptp(sums[each]) == 0 for each in (first, second)):
                continue
            for given in (None, lengths):
                value, low, high = difference(sums[first], sums[second], outcomes, given)
                yield {
                    **{"target": target, "representation": first[0], "choice": first[1]},
                    **{"other_representation": second[0], "other_choice": second[1], "subsets": len(members)},
                    **{"given_length": given is not None, "difference": value, "low": low, "high": high},
                }


def main() -> None:
    experiment, path = sys.argv[1:]
    made.write(path, list(lines(experiment)))


if __name__ == "__main__":
    main()
