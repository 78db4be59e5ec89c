"""The selections of an experiment that are compared with each other: their files, and how their pages are headed."""

import functools
import posixpath
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from instruction_selection.core import entry_names
from instruction_selection.core.features import FEATURES
from instruction_selection.experiment import grid
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.paths import Layout
from instruction_selection.experiment.wiring import Wildcards, unique


class ComparedSelections:
    """Each once, though several runs may train on one: a selection does not depend on all that a run does."""

    def __init__(self, experiment: Experiment):
        self._experiment = experiment
        self._paths = Layout(experiment.folder)

    @functools.cached_property
    def _cells(self) -> list[grid.Cell]:
        return unique(
            grid.selection_of(self._experiment, cell)
            for target in grid.targets(self._experiment)
            for cell in grid.selected_for(self._experiment, target)
        )

    def wildcards(self) -> list[dict[str, str]]:
        """Of each."""
        return [cell.wildcards() for cell in self._cells]

    def of_target(self, target: str) -> list[tuple[dict[str, str], str, str]]:
        """(wildcards of a run, paths of the rows that it trains on and of their summary) for each run for a target."""
        found = []
        for cell in grid.selected_for(self._experiment, target):
            selection = grid.selection_of(self._experiment, cell).wildcards()
            paths = (self._paths.selected.format(**selection), self._paths.selection.format(**selection))
            found.append((cell.wildcards(), *paths))
        return found

    def page_heading(self, wildcards: Wildcards) -> dict[str, Any]:
        """What the page of a selection is called, with the names and relative paths of those that it is compared with:
        of the same pool, and as far as they depend on them, of the same model and target."""
        cell = grid.Cell.of(wildcards)
        compared = [
            other
            for other in self._cells
            if other.pool == cell.pool
            and (other.model == cell.model or entry_names.ANY in (other.model, cell.model))
            and (other.target == cell.target or entry_names.ANY in (other.target, cell.target))
        ]
        differing = [
            name
            for name in ("model", "target", "ratio", "seed")
            if len({getattr(other, name) for other in compared} - {entry_names.ANY}) > 1
        ]
        page = self._paths.selection_page.format
        folder = PurePosixPath(page(**cell.wildcards())).parent
        method = self._experiment.methods[cell.method]
        return {
            "method": method.label,
            "about": method.summary,
            "pool": cell.pool,
            "target": None if cell.target == entry_names.ANY else cell.target,
            "ratio": cell.ratio,
            "seed": cell.seed,
            "others": [
                (self._label(other, differing), posixpath.relpath(page(**other.wildcards()), folder))
                for other in compared
                if other != cell
            ],
        }

    def _label(self, cell: grid.Cell, names: Iterable[str]) -> str:
        """The method, and these attributes of a cell as far as its rows depend on them."""
        method = self._experiment.methods[cell.method]
        fixed = set() if method.stochastic else {"seed"}
        labels = {name: model.label for name, model in self._experiment.models.items()}
        shown = {**vars(cell), "model": labels.get(cell.model), "seed": f"seed {cell.seed}"}
        parts = [shown[name] for name in names if name not in fixed and getattr(cell, name) != entry_names.ANY]
        return ", ".join([method.label, *parts])

    def warmup_logs(self) -> dict[str, str]:
        """Paths of the logs of the warm-ups that compared selections depend on, by their model and pool."""
        warmed_up = unique(
            (cell.model, cell.pool)
            for cell in self._cells
            if any(FEATURES[name].per_checkpoint for name in self._experiment.methods[cell.method].needs)
        )
        return {
            f"{self._experiment.models[model].label}, {pool}": self._paths.warmup_log.format(model=model, pool=pool)
            for model, pool in warmed_up
        }
