"""What every result behind a table has to say of itself, from the pool to the score.

Results record the settings, the code and the hashes of the inputs that they were made with. `tables.lineage` compares
these with what is said here, so that a table does not depend on file times or on Snakemake's own records.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from instruction_selection.core import entry_names
from instruction_selection.core.features import FEATURES
from instruction_selection.experiment import grid
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.wiring import Wiring

#: Keys and list positions in a JSON file.
Place = tuple[str | int, ...]
PROVENANCE: Place = ("provenance",)
#: (place here, other file, place there): values that have to be equal.
Link = tuple[Place, str, Place]


@dataclass(frozen=True)
class Made:
    """A result, the rule that makes it, and what it must record."""

    path: str
    #: Results of one rule and one method must be of the same code.
    rule: str
    settings: dict[str, Any]
    equal: tuple[Link, ...] = ()
    #: Settings of results that another one is made from and names, by their place in this file.
    behind: dict[Place, dict[str, Any]] = field(default_factory=dict)


def _hash_of(name: str) -> Place:
    return (*PROVENANCE, "inputs", name, "sha256")


def unique_results(found: Iterable[Made]) -> list[Made]:
    """Each once, in the order of the first."""
    first: dict[str, Made] = {}
    for made in found:
        first.setdefault(made.path, made)
    return list(first.values())


class Chain:
    """The results behind some tables."""

    def __init__(self, wiring: Wiring, *tables: str):
        self.wiring = wiring
        self.tables = tables

    def results(self) -> list[Made]:
        """Each once; what a result is made from comes before it."""
        return unique_results(
            made for table in self.tables for cell in self.wiring.table_cells(table) for made in self.of_cell(*cell)
        )

    def files(self) -> list[str]:
        """Their paths."""
        return [made.path for made in self.results()]

    def of_cell(
        self, names: dict[str, str], evaluation: str, _: str, selection: str | None, training: str | None
    ) -> Iterator[Made]:
        """An evaluation, which is one of `Wiring.table_cells`, and all that is behind it."""
        cell = {**names, "evaluation": evaluation, "selection": selection, "training": training}
        benchmark = cell["benchmark"]
        yield self._target(benchmark)
        equal: list[Link] = [(_hash_of("rows"), self._target(benchmark).path, ("evaluation", "sha256"))]
        if cell["training"]:
            yield from self._selected(cell)
            equal.append((_hash_of("adapter"), cell["training"], ("adapter",)))
        yield Made(
            cell["evaluation"],
            "evaluate",
            self._settings("evaluate", cell),
            equal=tuple(equal),
            behind=self._model(cell),
        )

    def _selected(self, cell: dict[str, Any]) -> Iterator[Made]:
        """Pool, warm-up, selection and training of a cell."""
        yield from self.of_selection(cell, cell["selection"])
        yield Made(
            cell["training"],
            "finetune",
            {**self._settings("finetune", cell), "seed": int(cell["seed"])},
            equal=((_hash_of("rows"), cell["selection"], ("sha256",)),),
            behind=self._model(cell),
        )

    def of_selection(self, names: dict[str, Any], path: str) -> Iterator[Made]:
        """The selection of a cell, whose summary is at `path`, and all that is behind it."""
        cell = grid.selection_of(self._experiment, self.wiring.cell_of(_Wildcards(names))).wildcards()
        yield self._pool(cell["pool"])
        wildcards = _Wildcards(cell)
        method = self.wiring.method_of(wildcards)
        equal: list[Link] = [(_hash_of("pool"), self._pool(cell["pool"]).path, ("sha256",))]
        if grid.targeted(method):
            for part in entry_names.parts(cell["target"]):
                yield self._target(part)
                equal.append((_hash_of(f"validation of {part}"), self._target(part).path, ("validation", "sha256")))
        for need in method.needs:
            if FEATURES[need].per_checkpoint:
                yield from self._warmup(cell)
                checkpoints = self.wiring.paths.warmup_checkpoints.format(**cell)
                equal.append((("stores", need, "adapter"), checkpoints, ("checkpoints", -1, "adapter")))
        settings = {
            **self._settings("select_rows", cell),
            "ratio": float(cell["ratio"]),
            "seed": int(cell["seed"]),
            "features": self.wiring.features_made_with(wildcards),
        }
        yield Made(path, f"select_rows with {cell['method']}", settings, equal=tuple(equal))

    def _warmup(self, cell: dict[str, Any]) -> Iterator[Made]:
        named = {"model": cell["model"], "pool": cell["pool"]}
        rows = self.wiring.paths.warmup_summary.format(**named)
        pool = self._pool(cell["pool"]).path
        yield Made(
            rows,
            "sample_warmup",
            self._settings("sample_warmup", named),
            equal=((_hash_of("pool"), pool, ("sha256",)),),
        )
        yield Made(
            self.wiring.paths.warmup_checkpoints.format(**named),
            "warmup",
            self._settings("warmup", named),
            equal=((_hash_of("rows"), rows, ("sha256",)),),
            behind=self._model(named),
        )

    def _pool(self, pool: str) -> Made:
        return Made(
            self.wiring.paths.pool_summary.format(pool=pool),
            "sample_pool",
            self._settings("sample_pool", {"pool": pool}),
        )

    def _target(self, target: str) -> Made:
        path = self.wiring.paths.target_summary.format(target=target)
        return Made(path, "sample_target", self._settings("sample_target", {"target": target}))

    def _model(self, cell: dict[str, Any]) -> dict[Place, dict[str, Any]]:
        place = (*PROVENANCE, "inputs", "model", "parameters")
        return {place: self._settings("prepare_model", {"model": cell["model"]})}

    def _settings(self, rule: str, wildcards: dict[str, Any]) -> dict[str, Any]:
        return self.wiring.decisions.of_job(rule, wildcards)

    @property
    def _experiment(self) -> Experiment:
        return self.wiring.experiment


class _Wildcards(dict[str, Any]):
    """A cell's names as Snakemake's wildcards have them."""

    def __getattr__(self, name: str) -> Any:
        return self[name]
