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
from ablations import REPOSITORY

from instruction_selection.experiment import load
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import datamodels, ranks
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

    def found(places: np.ndarray) -> np.ndarray:
        one, other, outcome = (values[places] for values in (first, second, outcomes))
        known = () if given is None else (given[places],)
        return ranks.correlation(one, outcome, *known) - ranks.correlation(other, outcome, *known)

    count = len(outcomes)
    [value] = found(np.arange(count)[None])
    resampled = found(np.random.default_rng(0).integers(count, size=(RESAMPLES, count)))
    low, high = np.nanquantile(resampled, (LEVEL / 2, 1 - LEVEL / 2))
    return float(value), float(low), float(high)


def lines(name: str) -> Iterator[dict[str, object]]:
    wiring = Wiring(load.load(REPOSITORY / "config", name))
    for group, cells in datamodels.cells_by_group(wiring).items():
        benchmark = wiring.experiment.benchmarks[group.benchmark]
        finished = datamodels.finished_subsets(wiring, cells)
        subsets, outcomes = datamodels.measured(wiring, finished, benchmark.metrics[0])
        inputs, pool = made.features(wiring, group.target)
        members = np.array([np.isin(pool.ids, list(subset)) for subset in subsets])
        sums = {(representation, choice): members @ values for representation, choice, values in made.scores(inputs)}
        lengths = members @ inputs.pool_lengths
        sums[OWN] = members @ np.isin(pool.tasks, benchmark.tasks).astype(float)
        for first, second in PAIRS:
            if any(np.ptp(sums[each]) == 0 for each in (first, second)):
                continue
            for given_length in (False, True):
                value, low, high = difference(sums[first], sums[second], outcomes, lengths if given_length else None)
                yield {
                    **{"target": group.target, "representation": first[0], "choice": first[1]},
                    **{"other_representation": second[0], "other_choice": second[1], "subsets": len(subsets)},
                    **{"given_length": given_length, "difference": value, "low": low, "high": high},
                }


def main() -> None:
    experiment, path = sys.argv[1:]
    made.write(path, list(lines(experiment)))


if __name__ == "__main__":
    main()
