"""What a method is given, and what it returns."""

from dataclasses import dataclass, field, fields, replace

import numpy as np

from instruction_selection.core.features import GRADIENTS
from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.features.matrix import Rows


@dataclass
class Checkpoint:
    """Gradients under one checkpoint of the warm-up, and what it counts: the mean learning rate of its epoch."""

    weight: float = 1.0
    pool_gradients: Rows | None = None
    pool_sgd_gradients: Rows | None = None
    validation_gradients: Rows | None = None

    def given(self, side: str) -> dict[str, Rows]:
        """Those of the pool (`side` is pool_) or of the target (validation_)."""
        found = {need: getattr(self, need) for need in GRADIENTS if need.startswith(side)}
        return {need: rows for need, rows in found.items() if rows is not None}


@dataclass
class Inputs:
    """What a method may look at: the number of pool rows, and what its config file says that it needs.

    Gradients are those under the last checkpoint of the warm-up, which counts `weight`; a method whose config file says
    `checkpoints: all` finds the others in `earlier`, oldest first, and all of them in `checkpoints`. Lengths are int64
    (N,), in characters of the response. `memory_mb` MiB may be used; the result does not depend on it.
    """

    rows: int
    pool_gradients: Rows | None = None
    pool_sgd_gradients: Rows | None = None
    validation_gradients: Rows | None = None
    pool_embeddings: Rows | None = None
    validation_embeddings: Rows | None = None
    pool_hidden_states: Rows | None = None
    validation_hidden_states: Rows | None = None
    pool_lengths: np.ndarray | None = None
    validation_lengths: np.ndarray | None = None
    weight: float = 1.0
    memory_mb: int = 8000
    earlier: tuple[Checkpoint, ...] = ()

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """All that were kept, oldest first."""
        return *self.earlier, Checkpoint(self.weight, **{need: getattr(self, need) for need in GRADIENTS})

    def _given(self, side: str) -> dict[str, Rows | np.ndarray]:
        found = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name.startswith(side)}
        return {name: value for name, value in found.items() if value is not None}

    def usable(self) -> np.ndarray:
        """bool (N,): pool rows all of whose features can be used."""
        masks = [value.usable for value in self._given("pool_").values() if isinstance(value, Rows)]
        masks += [rows.usable for checkpoint in self.earlier for rows in checkpoint.given("pool_").values()]
        return np.logical_and.reduce([np.ones(self.rows, dtype=bool), *masks])

    def at(self, numbers: np.ndarray) -> "Inputs":
        """Of a pool that has only the rows `numbers`, in that order."""
        given = self._given("pool_").items()
        kept = {name: value.at(numbers) if isinstance(value, Rows) else value[numbers] for name, value in given}
        earlier = tuple(_at(checkpoint, "pool_", numbers) for checkpoint in self.earlier)
        return replace(self, rows=len(numbers), earlier=earlier, **kept)

    def without_unusable_validation_rows(self) -> "Inputs":
        given = {name: value for name, value in self._given("validation_").items() if isinstance(value, Rows)}
        masks = {name: value.usable for name, value in given.items()}
        for checkpoint in self.earlier:
            for name, value in checkpoint.given("validation_").items():
                masks[name] = masks[name] & value.usable
        for name, mask in masks.items():
            if not mask.any():
                raise InputError(f"No validation row can be used: all {name.replace('_', ' ')} are zero or not finite.")
        if all(mask.all() for mask in masks.values()):
            return self
        earlier = tuple(_at(checkpoint, "validation_", masks["validation_gradients"]) for checkpoint in self.earlier)
        return replace(self, earlier=earlier, **{name: value.at(masks[name]) for name, value in given.items()})


def _at(checkpoint: Checkpoint, side: str, numbers: np.ndarray) -> Checkpoint:
    return replace(checkpoint, **{need: rows.at(numbers) for need, rows in checkpoint.given(side).items()})


@dataclass
class Selection:
    """Row numbers in the order chosen, without repetition, and what the method has to tell about them.

    In `details`, at any depth, a row of the pool stands by its number under the key `anchor`.
    """

    rows: np.ndarray
    details: dict = field(default_factory=dict)
