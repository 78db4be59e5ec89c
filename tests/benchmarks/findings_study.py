"""Tables of one draw of the study: what every method's selections lead to, at every budget."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from findings_measured import DOCS, read, table
from scipy import stats

from instruction_selection.experiment import load
from instruction_selection.tables.distance_correlations import Line, correlate
from instruction_selection.tables.distance_text import LABELS, shown
from instruction_selection.tables.distances import Point, spec_of
from instruction_selection.tables.markup import NOTHING

STUDY = {"gsm8k-likelihood": "GSM8K", "bbh-likelihood": "BBH"}
#: The experiment's tables.
RATIOS = ("one-percent", "five-percent", "twenty-percent")
#: How a table of methods names these two.
BASELINE, UNTUNED = "Random", "Untuned model"


class Study:
    """The tables of one draw of the study."""

    def __init__(self, draw: int):
        self.draw = draw
        lines = [line for ratio in RATIOS for line in read(f"study-draw{draw}-{ratio}")]
        self._lines = {(line["method"], line["target"], float(line["ratio"])): line for line in lines}
        self.untuned = {target: self._lines[UNTUNED, target, 0.0] for target in STUDY}
        self.ratios = sorted({ratio for *_, ratio in self._lines if ratio})
        #: Target by target, and within each the smallest budget first.
        self.cells = [(target, ratio) for target in STUDY for ratio in self.ratios]
        self.columns = [f"{STUDY[target]}, {100 * ratio:g} %" for target, ratio in self.cells]
        names = {method for method, *_ in self._lines} - {BASELINE, UNTUNED}
        #: The best mean difference from the baseline, in standard errors, first.
        self.methods = sorted(names, key=lambda name: -sum(map(self._errors, self.of(name))))

    def of(self, method: str) -> list[dict[str, str]]:
        """The method's lines, in the order of the columns."""
        return [self._lines[method, *cell] for cell in self.cells]

    def differences(self, target: str, ratio: float) -> list[float]:
        """Of every method from the baseline."""
        return [float(self._lines[method, target, ratio]["difference"]) for method in self.methods]

    def own_rows(self, target: str, ratio: float) -> list[float]:
        return [float(self._lines[method, target, ratio]["family_rows_chosen"]) for method in self.methods]

    @staticmethod
    def _errors(line: dict[str, str]) -> float:
        """The width of the interval stands for the standard error of the difference."""
        return float(line["difference"]) / (float(line["high"]) - float(line["low"]))


def of_study(found: Study) -> dict[str, str]:
    shown = partial(table, columns=found.columns)
    own = [found.own_rows(*cell) for cell in found.cells]
    differences = [found.differences(*cell) for cell in found.cells]
    return {
        "study": shown(
            "minus Random, nats", lines=[(name, map(against_random, found.of(name))) for name in found.methods]
        ),
        "study-levels": shown(
            "log-likelihood, nats",
            lines=[
                (UNTUNED, [level(found.untuned[target]) for target, _ in found.cells]),
                (BASELINE, map(level, found.of(BASELINE))),
                ("standard deviation of its three draws", [f"{float(line['sd']):.1f}" for line in found.of(BASELINE)]),
                (
                    f"methods in that noise, of {len(found.methods)}",
                    [str(in_noise(found, *cell)) for cell in found.cells],
                ),
                ("best method", [best(found, *cell) for cell in found.cells]),
            ],
        ),
        "study-chosen": shown(
            "rows chosen (its own)", lines=[(name, map(chosen, found.of(name))) for name in [*found.methods, BASELINE]]
        ),
        "study-ranks": shown(
            "rank correlation, over methods, of differences with",
            lines=[
                *(
                    (f"those of {label}", [ranks(each, other) for each in differences])
                    for label, other in zip(found.columns, differences, strict=True)
                ),
                ("the number of its own rows", map(ranks, differences, own)),
            ],
        ),
    }


def level(line: dict[str, str]) -> str:
    return f"{float(line['value']):.1f}"


def best(found: Study, target: str, ratio: float) -> str:
    differences = found.differences(target, ratio)
    name = found.methods[int(np.argmax(differences))]
    return f"{level(found.of(name)[found.cells.index((target, ratio))])} ({name})"


def in_noise(found: Study, target: str, ratio: float) -> int:
    """How many methods differ from the baseline by at most two standard deviations of the difference of one model from
    the mean of the baseline's, if a method's result varies as one of these does."""
    baseline = found.of(BASELINE)[found.cells.index((target, ratio))]
    limit = 2 * float(baseline["sd"]) * (1 + 1 / int(baseline["seeds"])) ** 0.5
    return sum(abs(difference) <= limit for difference in found.differences(target, ratio))


def chosen(line: dict[str, str]) -> str:
    """How many rows, and how many of them are of the target's own tasks, where the pool has such rows."""
    rows = f"{float(line['rows_chosen']):.0f}"
    return f"{rows} ({float(line['family_rows_chosen']):.0f})" if int(line["family_rows_in_pool"]) else rows


def against_random(line: dict[str, str]) -> str:
    difference, low, high = (f"{float(line[name]):+z.1f}" for name in ("difference", "low", "high"))
    return f"{difference} ({low} to {high})"


def ranks(values: Sequence[float], others: Sequence[float]) -> str:
    if values == others or len(set(others)) == 1:
        return NOTHING
    return f"{stats.spearmanr(values, others).statistic:+z.2f}"


def of_distances(study: Study) -> dict[str, str]:
    """What `snakemake distances` says: a line for each measure, and the columns of `of_study`."""
    spec = spec_of(load.load(DOCS.parent / "config", "study", study.draw))
    points = [_point(line) for line in read(f"study-draw{study.draw}-distances")]
    found = {
        (line.panel.target, float(line.ratio), line.representation, line.measure): line
        for line in correlate(points, spec)
    }
    lines = []
    for representation, measure in dict.fromkeys(key[2:] for key in found):
        label = f"{representation}, {LABELS[measure].lower()}" if representation else LABELS[measure]
        each = [found[*cell, representation, measure] for cell in study.cells]
        lines.append((label, [correlations(line) for line in each]))
    return {"study-distances": table("rank correlation → given length", study.columns, lines)}


def correlations(line: Line) -> str:
    return " → ".join(shown(found) for found in (line.correlation, line.given_length) if found)


def _point(line: dict[str, str]) -> Point:
    whole, text = ("draw", "seed", "rows"), ("model", "pool", "target", "benchmark", "method", "ratio")
    kinds = {**dict.fromkeys(whole, int), **dict.fromkeys((*text, "representation", "metric"), str)}
    return Point(**{name: kinds.get(name, float)(value) for name, value in line.items()})
