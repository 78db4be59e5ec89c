"""A row of a table: the results of one group's seeds, averaged, and compared with the baseline."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from instruction_selection.tables.statistics import Comparison


@dataclass(frozen=True)
class Measurement:
    """One metric of a row, in units of the table (the evaluation's, times the metric's scale)."""

    #: Mean over seeds.
    value: float
    by_seed: tuple[float, ...]
    #: The evaluation's standard error over evaluation rows, mean over seeds; None if a seed has none.
    stderr: float | None = None
    #: Sample standard deviation over seeds; None for one seed.
    sd: float | None = None
    #: 95 % interval of a share, whose evaluation rows are all 0 or 1, at its mean over seeds; None for other metrics.
    wilson: tuple[float, float] | None = None
    #: With the row's baseline; None if there is none, or if nothing can be compared.
    comparison: Comparison | None = None

    @property
    def error_bar(self) -> tuple[float, float]:
        """How far the uncertainty over evaluation rows reaches below and above the value; NaN if it is unknown.

        A share has Wilson's interval, another metric the standard error.
        """
        if self.wilson is not None:
            low, high = self.wilson
            # Their mean may differ from the evaluation's in its last digit.
            return max(0.0, self.value - low), max(0.0, high - self.value)
        return (math.nan, math.nan) if self.stderr is None else (self.stderr, self.stderr)


@dataclass(frozen=True)
class Chosen:
    """How many examples were chosen (mean over seeds) and could be chosen, in all and of the target's family."""

    rows: float
    family_rows: float
    #: Mean over draws, which have a pool each; otherwise whole.
    family_rows_in_pool: float
    pool_rows: int

    @property
    def family_share(self) -> float | None:
        """From 0 to 1; None if nothing was chosen."""
        return self.family_rows / self.rows if self.rows else None


@dataclass(frozen=True)
class Row:
    """One model, pool, method and ratio on one benchmark, selected for `target`.

    `model` and `method` are labels; `pool` is a name, None for the untuned model. `metrics` has a measurement by the
    name of each metric. A row whose benchmark is `published.AVERAGE` is the mean over benchmarks of the score divided
    by that of the table's `relative_to`; it is of no target and has no `samples`.
    """

    target: str | None
    benchmark: str
    model: str
    pool: str | None
    method: str
    ratio: str
    #: Results that the row averages.
    seeds: int
    #: Evaluation rows of each of them.
    samples: int | None
    metrics: dict[str, Measurement]
    #: Label of the method that it is compared with; None for the baseline itself, and if not exactly one fits.
    baseline: str | None = None
    #: Published number of the first metric.
    published: float | None = None
    #: Checkpoints that the selection read, for a method that reads all of them and reports it.
    checkpoints: int | None = None
    #: None for the untuned model.
    chosen: Chosen | None = None


def has_family(rows: Iterable[Row]) -> bool:
    """Whether a pool behind the rows has examples of their benchmark's own tasks at all."""
    return any(row.chosen is not None and row.chosen.family_rows_in_pool for row in rows)
