"""Random projections of gradients to D dimensions that preserve inner products in expectation.

A projection P is linear and determined by kind, seed, D and the order and sizes of the parameters, so every shard, node
and checkpoint uses the same one. E<Pa, Pb> = <a, b> for fixed a and b. No matrix of all parameters x D is ever in
memory: for a batch of B examples, `accumulator` gives the sums, `add` adds one parameter's gradients, in any order of
parameters, and `finish` returns the projected gradients (B, D).
"""

import math
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch


class SparseJL:
    """Sparse Johnson-Lindenstrauss transform, one output per coordinate (a CountSketch; Kane and Nelson 2014, s = 1).

    Coordinate i goes with a random sign to output (i + shift of its block) mod D, where a block is D neighbouring
    coordinates and has a random shift. Signs are independent, so E<Pa, Pb> = <a, b>. Two coordinates of different
    blocks collide with probability 1/D and those of one block never, so the variance is at most that of independent
    buckets, (|a|^2 |b|^2 + <a, b>^2) / D. Neighbours stay neighbours, so the speed is that of memory.

    `shifts` (int64, one per block) and `signs` (int8, one per coordinate) are lists with a tensor per parameter, in
    order, on the device where that parameter's gradients are added; `drawn` makes them.
    """

    #: Numbers that are multiplied by their signs at a time, all rows together: 16 MiB, enough to keep a GPU busy.
    CHUNK = 2**22

    def __init__(self, dimension: int, shifts: list[torch.Tensor], signs: list[torch.Tensor]):
        self._dimension, self._shifts, self._signs = dimension, shifts, signs

    @classmethod
    def drawn(
        cls, sizes: list[int], dimension: int, seed: int, device: torch.device | Sequence[torch.device]
    ) -> "SparseJL":
        """The transform of a seed. `sizes` are the parameters' numbers of elements, in order."""
        shifts, signs = [], []
        for number, (size, place) in enumerate(zip(sizes, _of_each(device, sizes), strict=True)):
            rng = np.random.default_rng([seed, number])
            shifts.append(torch.from_numpy(rng.integers(dimension, size=math.ceil(size / dimension))).to(place))
            bits = rng.integers(2, size=size, dtype=np.int8)
            signs.append(torch.from_numpy(bits * np.int8(2) - np.int8(1)).to(place))
        return cls(dimension, shifts, signs)

    def accumulator(self, rows: int, device: torch.device | None = None) -> torch.Tensor:
        """Zeros, float32 (rows, 2 D), for `add` to change in place and `finish` to read.

        On the device of the first parameter, if no other is given.
        """
        # Twice as wide as the result, so that a shifted block need not wrap around.
        return torch.zeros(rows, 2 * self._dimension, device=device or self._signs[0].device)

    def add(self, number: int, gradients: torch.Tensor, accumulator: torch.Tensor) -> None:
        """Add the projection of parameter `number`'s gradients, float32 (rows, size), to `accumulator` in place.

        On a CPU, an output receives its numbers in the order of the blocks, so the result is always the same; on a GPU
        the order, and so the rounding, may differ between runs.
        """
        shifts, signs, dimension = self._shifts[number], self._signs[number], self._dimension
        rows, size = gradients.shape
        whole = size // dimension
        # windows[:, s] is the part of the accumulator that a block with shift s is added to. Windows overlap, and
        # `index_add_` adds one block after another (atomically on a GPU).
        windows = accumulator.unfold(1, dimension, 1)
        step = max(1, self.CHUNK // (rows * dimension))
        for first in range(0, whole, step):
            last = min(first + step, whole)
            part = slice(first * dimension, last * dimension)
            signed = gradients[:, part] * signs[part]
            windows.index_add_(1, shifts[first:last], signed.view(rows, last - first, dimension))
        if size > whole * dimension:
            # The last block is shorter, and so is its window.
            rest = slice(whole * dimension, size)
            signed = gradients[:, rest] * signs[rest]
            accumulator.unfold(1, signed.shape[1], 1).index_add_(1, shifts[whole:], signed[:, None])

    def finish(self, accumulator: torch.Tensor) -> torch.Tensor:
        """The projected gradients, float32 (rows, D)."""
        return accumulator[:, : self._dimension] + accumulator[:, self._dimension :]


class Rademacher:
    """Dense projection by independent signs over sqrt(D), as in LESS (TRAK's projector; Park et al. 2023).

    The matrix is generated again, a block of rows at a time, whenever it is used; that is slow without a GPU. The
    methods are those of `SparseJL`, with an accumulator of shape (rows, D).
    """

    #: Rows of the matrix that are generated at a time.
    ROWS_PER_BLOCK = 4096

    def __init__(self, sizes: list[int], dimension: int, seed: int, device: torch.device | Sequence[torch.device]):
        self._dimension, self._seed, self._devices = dimension, seed, _of_each(device, sizes)

    def accumulator(self, rows: int, device: torch.device | None = None) -> torch.Tensor:
        return torch.zeros(rows, self._dimension, device=device or self._devices[0])

    def add(self, number: int, gradients: torch.Tensor, accumulator: torch.Tensor) -> None:
        rng = np.random.default_rng([self._seed, number])
        for part in gradients.split(self.ROWS_PER_BLOCK, 1):
            bits = np.frombuffer(rng.bytes(part.shape[1] * math.ceil(self._dimension / 8)), np.uint8)
            bits = torch.from_numpy(np.unpackbits(bits).reshape(part.shape[1], -1)[:, : self._dimension])
            accumulator.addmm_(part, bits.to(accumulator.device, torch.float32).mul_(2).sub_(1))

    def finish(self, accumulator: torch.Tensor) -> torch.Tensor:
        return accumulator / math.sqrt(self._dimension)


def _of_each(device: torch.device | Sequence[torch.device], sizes: list[int]) -> Sequence[torch.device]:
    return [device] * len(sizes) if isinstance(device, torch.device) else device


KINDS = {"sjlt": SparseJL.drawn, "rademacher": Rademacher}


class ProjectionSettings(TypedDict):
    """An experiment's `gradients.projection` block."""

    kind: str
    """A key of `KINDS`."""
    dimension: int
    """Numbers D that are kept of a gradient."""
    seed: int


def make(
    settings: ProjectionSettings, sizes: list[int], device: torch.device | Sequence[torch.device]
) -> SparseJL | Rademacher:
    """The projection that `settings` ask for.

    `sizes` are the numbers of elements of `parameters.trainable`, in that order. `device` is that of all of them, or a
    list with the device of each, on which the projection does not depend.
    """
    return KINDS[settings["kind"]](sizes, settings["dimension"], settings["seed"], device)
