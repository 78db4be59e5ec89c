"""The gradients of a batch that are kept: of one or both kinds, each projected."""

from collections.abc import Sequence

import numpy as np
import torch

from instruction_selection.features.gradients import adam
from instruction_selection.features.gradients.projection import Rademacher, SparseJL


class Sketches:
    """Projected gradients of a batch's examples, summed up over the parameters. Usable for one batch after another.

    `kinds` are `adam` (preconditioned) and `sgd` (plain); `states` has the pair of moments of every parameter, as from
    `moments.read`, if `adam` is among them.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        projection: SparseJL | Rademacher,
        states: Sequence[tuple[torch.Tensor, torch.Tensor]],
    ):
        self._kinds, self._projection, self._states = kinds, projection, states
        self._sums: dict[str, torch.Tensor] = {}

    def start(self, rows: int) -> None:
        """Begin a batch of as many examples."""
        self._sums = {kind: self._projection.accumulator(rows) for kind in self._kinds}

    def add(self, number: int, gradients: torch.Tensor) -> None:
        """Add parameter `number`'s gradients per example, float32 (rows, size)."""
        for kind in self._kinds:
            values = adam.precondition(gradients, *self._states[number]) if kind == "adam" else gradients
            self._projection.add(number, values, self._sums[kind])

    def finish(self) -> dict[str, np.ndarray]:
        """The projected gradients by kind, float32 (rows, D)."""
        return {kind: self._projection.finish(sums).cpu().numpy() for kind, sums in self._sums.items()}
