"""Tables of which rows of the target's own kinds are found, from lines of ablations.py."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import ablations as made
import numpy as np
from findings_measured import Combination, combination_of, read, table
from scipy import stats

TARGETS = {"gsm-symbolic": "GSM-Symbolic", "logic": "Logic"}


class Column(NamedTuple):
    """What a family's rows are looked for, and how many may be chosen."""

    target: str
    budget: int

    def __str__(self) -> str:
        return f"{TARGETS[self.target]}, {self.budget} rows"


class Families:
    """Lines of `ablations.py families`."""

    def __init__(self, name: str):
        self.lines = read(name)
        self.columns = sorted({column_of(line) for line in self.lines})
        self._shares = {
            (column_of(line), combination_of(line), int(line["draw"])): 100 * float(line["share"])
            for line in self.lines
        }
        self.draws = sorted({int(line["draw"]) for line in self.lines})

    def shares(self, column: Column, combination: Combination, draws: Iterable[int] | None = None) -> np.ndarray:
        """Per cent of the target's kinds that are found, in each draw."""
        return np.array([self._shares[column, combination, draw] for draw in draws or self.draws])

    def mean(self, combination: Combination, column: Column) -> str:
        return f"{self.shares(column, combination).mean():.0f}"

    def minus(self, one: Combination, other: Combination, column: Column) -> str:
        return interval(self.shares(column, one) - self.shares(column, other))

    def counted(self, counter: str, combination: Combination, column: Column) -> str:
        """The mean over draws of what a walk counts."""
        found = [
            float(line[counter])
            for line in self.lines
            if (column_of(line), combination_of(line)) == (column, combination)
        ]
        return f"{np.mean(found):.1f}"


def column_of(line: dict[str, str]) -> Column:
    return Column(line["target"], int(line["budget"]))


def interval(differences: np.ndarray) -> str:
    """Mean and 95 % interval by Student's t over draws."""
    if not differences.any():
        return "0"
    half = stats.t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / len(differences) ** 0.5
    mean = differences.mean()
    return f"{points(mean)} ({points(mean - half)} to {points(mean + half)})"


def points(value: float) -> str:
    return f"{value:+.0f}" if round(value) else "0"


LABELS = {
    made.ADAM: "Adam gradients, four checkpoints",
    made.ADAM_LAST: "Adam gradients, last checkpoint",
    made.PLAIN: "plain gradients, four checkpoints",
    made.PLAIN_LAST: "plain gradients, last checkpoint",
    made.HIDDEN: "hidden states of the base model",
    made.EMBEDDINGS: "sentence embeddings",
    made.WORDS: "words (BM25)",
}
WAYS = {
    made.LESS: "mean of the closest subtask (LESS)",
    made.NEAREST: "closest validation row",
    made.TURNS: "validation rows in turns",
    made.GIST: "closest row in the subspace (GIST)",
    made.PURSUIT: "pursuit (GTP-style)",
    made.CLOSEST: "rows closest to the components (G2IS without graph)",
    made.WALK: "walk (G2IS)",
    made.ROBUST: "robust walk (G2IS, robust)",
}
SIGNS = {
    made.WALK: "PCA, as it comes (G2IS)",
    made.TURNED: "PCA, turned to the mean",
    made.AWAY: "PCA, turned away",
    made.UNCENTRED: "not centred, as it comes",
    made.UNCENTRED_TURNED: "not centred, turned to the mean",
    made.UNCENTRED_AWAY: "not centred, turned away",
}
OF_SIGNS = {made.ADAM_LAST: "Adam gradients", made.EMBEDDINGS: "embeddings", made.HIDDEN: "hidden states"}
COUNTERS = {
    "rejected_by_conflict": "rejected by the conflict rule",
    "rejected_by_consistency": "rejected by the consistency rule",
    "fallbacks": "steps to a row that is no neighbour",
    "chosen": "rows chosen",
}
SHARE, DIFFERENCE = "share found, %", "difference, points"


def by_mean(representation: str) -> Combination:
    """As LESS and Sentence-BERT choose; words have their own way."""
    return Combination(representation, made.BM25 if representation == made.WORDS else made.LESS)


def first_part(label: str) -> str:
    return label.split(",")[0]


def of_families(found: Families) -> dict[str, str]:
    columns = found.columns

    def means(label: str, *combination: str) -> tuple[str, list[str]]:
        return label, [found.mean(Combination(*combination), column) for column in columns]

    def minus(label: str, one: Combination, other: Combination) -> tuple[str, list[str]]:
        return label, [found.minus(one, other, column) for column in columns]

    def way(choice: str) -> list[str]:
        one, first = Combination(made.ADAM_LAST, choice), by_mean(made.ADAM_LAST)
        below = ["" if one == first else f": {found.minus(one, first, column)}" for column in columns]
        return [f"{found.mean(one, column)}{text}" for column, text in zip(columns, below, strict=True)]

    less = by_mean(made.ADAM)
    shown = partial(table, columns=columns)
    walk = Combination(made.ADAM_LAST, made.WALK)
    return {
        "representations": shown(SHARE, lines=[means(label, *by_mean(name)) for name, label in LABELS.items()]),
        "representations-compared": shown(
            DIFFERENCE,
            lines=[
                *(
                    minus(f"{first_part(LABELS[name])} minus {LABELS[made.ADAM]}", by_mean(name), less)
                    for name in (made.EMBEDDINGS, made.HIDDEN, made.WORDS)
                ),
                minus("Adam minus plain gradients, four checkpoints", less, by_mean(made.PLAIN)),
                minus("Adam minus plain gradients, last checkpoint", by_mean(made.ADAM_LAST), by_mean(made.PLAIN_LAST)),
                minus("four checkpoints minus the last, Adam gradients", less, by_mean(made.ADAM_LAST)),
                minus(
                    "four checkpoints minus the last, plain gradients", by_mean(made.PLAIN), by_mean(made.PLAIN_LAST)
                ),
            ],
        ),
        "ways": shown(f"{SHARE}, and minus the first line", lines=[(label, way(name)) for name, label in WAYS.items()]),
        "signs": shown(
            SHARE,
            lines=[
                means(f"{name}, {label}", representation, choice)
                for representation, name in OF_SIGNS.items()
                for choice, label in SIGNS.items()
            ],
        ),
        "signs-compared": shown(
            DIFFERENCE,
            lines=[
                minus(f"{name}, {label}", Combination(representation, one), Combination(representation, other))
                for representation, name in OF_SIGNS.items()
                for label, one, other in (
                    ("PCA: turned to the mean minus as it comes", made.TURNED, made.WALK),
                    ("not centred: turned to the mean minus away", made.UNCENTRED_TURNED, made.UNCENTRED_AWAY),
                    ("turned and not centred minus G2IS", made.UNCENTRED_TURNED, made.WALK),
                )
            ],
        ),
        "rules": shown(
            "G2IS, Adam gradients, per selection",
            lines=[
                *(
                    (label, [found.counted(counter, walk, column) for column in columns])
                    for counter, label in COUNTERS.items()
                ),
                minus(
                    "share found, without the consistency rule minus with it, points",
                    Combination(made.ADAM_LAST, made.UNTESTED),
                    walk,
                ),
                minus(
                    "share found, walk minus rows closest to the components, points",
                    walk,
                    Combination(made.ADAM_LAST, made.CLOSEST),
                ),
            ],
        ),
    }


#: Lines of the table of warm-ups: (representation, way of choosing, label).
LONG = [
    *(
        (representation, choice, f"{WAYS[choice]}: {label}")
        for choice in (made.LESS, made.NEAREST)
        for representation, label in (
            (made.ADAM_LAST, "Adam, last checkpoint"),
            (made.CENTRED, "Adam, last checkpoint, minus their mean"),
            (made.PLAIN_LAST, "plain, last checkpoint"),
            (made.ADAM, "Adam, four checkpoints"),
            (made.PLAIN, "plain, four checkpoints"),
        )
    ),
    (made.ADAM_LAST, made.WALK, f"{WAYS[made.WALK]}: Adam, last checkpoint"),
    (made.PLAIN_LAST, made.WALK, f"{WAYS[made.WALK]}: plain, last checkpoint"),
    (made.ADAM_LAST, made.ROBUST, f"{WAYS[made.ROBUST]}: Adam, last checkpoint"),
    (made.PLAIN_LAST, made.ROBUST, f"{WAYS[made.ROBUST]}: plain, last checkpoint"),
]


def of_long_warmup(short: Families, long: Families) -> dict[str, str]:
    """Of the draws that both have."""
    warmups = {"64 steps": short, "960 steps": long}

    def means(*combination: str) -> list[str]:
        found = [
            [each.shares(column, Combination(*combination), long.draws).mean() for column in long.columns]
            for each in (short, long)
        ]
        return [f"{before:.0f} → {after:.0f}" for before, after in zip(*found, strict=True)]

    adam, centred, plain = map(by_mean, (made.ADAM_LAST, made.CENTRED, made.PLAIN_LAST))
    compared = [
        (
            f"{label}, {steps}",
            [
                interval(found.shares(column, one, long.draws) - found.shares(column, other, long.draws))
                for column in long.columns
            ],
        )
        for label, one, other in (
            ("Adam minus plain", adam, plain),
            ("Adam, their mean subtracted, minus Adam", centred, adam),
        )
        for steps, found in warmups.items()
    ]
    return {
        "long-warmup": table(
            f"{SHARE}, 64 → 960 steps", long.columns, [(label, means(*names)) for *names, label in LONG]
        ),
        "long-warmup-compared": table(DIFFERENCE, long.columns, compared),
    }
