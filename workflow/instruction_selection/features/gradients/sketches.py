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
        self._sums: dict[str, dict[torch.device, torch.Tensor]] = {}

    def start(self, rows: int) -> None:
        """Begin a batch of as many examples."""
        sums = {kind: self._projection.accumulator(rows) for kind in self._kinds}
        self._sums = {kind: {zeros.device: zeros} for kind, zeros in sums.items()}

    def add(self, number: int, gradients: torch.Tensor) -> None:
        """Add parameter `number`'s gradients per example, float32 (rows, size), on the device where they are."""
        for kind in self._kinds:
            values = adam.precondition(gradients, *self._states[number]) if kind == "adam" else gradients
            sums, device = self._sums[kind], gradients.device
            if device not in sums:
                sums[device] = self._projection.accumulator(len(gradients), device)
            self._projection.add(number, values, sums[device])

    def finish(self) -> dict[str, np.ndarray]:
        """The projected gradients by kind, float32 (rows, D)."""
        return {kind: self._projection.finish(added_up(sums)).cpu().numpy() for kind, sums in self._sums.items()}


def added_up(sums: dict[torch.device, torch.Tensor]) -> torch.Tensor:
    """The sum over devices, on the first of them."""
    total, *others = sums.values()
    for other in others:
        total += other.to(total.device)
    return total
