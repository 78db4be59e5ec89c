"""Random projections of gradients to D dimensions that preserve inner products in expectation.

A projection P is linear and determined by kind, seed, D and the order and sizes of the parameters, so every shard, node
and checkpoint uses the same one. E<Pa, Pb> = <a, b> for fixed a and b. No matrix of all parameters x D is ever in
memory: for a batch of B examples, `accumulator` gives the sums, `add` adds one parameter's gradients, in any order of
parameters, and `finish` returns the projected gradients (B, D).
"""

import math

import numpy as np
import torch


class SparseJL:
    """Sparse Johnson-Lindenstrauss transform, one output per coordinate (a CountSketch; Kane and Nelson 2014, s = 1).

    Coordinate i goes with a random sign to output (i + shift of its block) mod D, where a block is D neighbouring
    coordinates and has a random shift. Signs are independent, so E<Pa, Pb> = <a, b>. Two coordinates of different
    blocks collide with probability 1/D and those of one block never, so the variance is at most that of independent
    buckets, (|a|^2 |b|^2 + <a, b>^2) / D. Neighbours stay neighbours, so the speed is that of memory.

    `sizes` are the parameters' numbers of elements, in order; `device` is where gradients are added.
    """

    def __init__(self, sizes: list[int], dimension: int, seed: int, device: torch.device):
        self._dimension = dimension
        self._shifts, self._signs = [], []
        for number, size in enumerate(sizes):
            rng = np.random.default_rng([seed, number])
            self._shifts.append(rng.integers(dimension, size=math.ceil(size / dimension)).tolist())
            signs = rng.integers(2, size=size, dtype=np.int8) * np.float32(2) - np.float32(1)
            self._signs.append(torch.from_numpy(signs).to(device))

    def accumulator(self, rows: int) -> torch.Tensor:
        """Zeros, float32 (rows, 2 D), for `add` to change in place and `finish` to read."""
        return torch.zeros(rows, 2 * self._dimension, device=self._signs[0].device)

    def add(self, number: int, gradients: torch.Tensor, accumulator: torch.Tensor) -> None:
        """Add the projection of parameter `number`'s gradients, float32 (rows, size), to `accumulator` in place."""
        for block, shift in enumerate(self._shifts[number]):
            start = block * self._dimension
            part = gradients[:, start : start + self._dimension]
            signs = self._signs[number][start : start + self._dimension]
            # The accumulator is twice as wide as the result, so that a shifted block need not wrap around.
            accumulator[:, shift : shift + part.shape[1]].addcmul_(part, signs)

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

    def __init__(self, sizes: list[int], dimension: int, seed: int, device: torch.device):
        self._dimension, self._seed, self._device = dimension, seed, device

    def accumulator(self, rows: int) -> torch.Tensor:
        return torch.zeros(rows, self._dimension, device=self._device)

    def add(self, number: int, gradients: torch.Tensor, accumulator: torch.Tensor) -> None:
        rng = np.random.default_rng([self._seed, number])
        for part in gradients.split(self.ROWS_PER_BLOCK, 1):
            bits = np.frombuffer(rng.bytes(part.shape[1] * math.ceil(self._dimension / 8)), np.uint8)
            bits = torch.from_numpy(np.unpackbits(bits).reshape(part.shape[1], -1)[:, : self._dimension])
            accumulator.addmm_(part, bits.to(self._device, torch.float32).mul_(2).sub_(1))

    def finish(self, accumulator: torch.Tensor) -> torch.Tensor:
        return accumulator / math.sqrt(self._dimension)


KINDS = {"sjlt": SparseJL, "rademacher": Rademacher}


def make(settings: dict, sizes: list[int], device: torch.device) -> SparseJL | Rademacher:
    """The projection that an experiment's `gradients.projection` block asks for (kind, dimension D, seed).

    `sizes` are the numbers of elements of `parameters.trainable`, in that order.
    """
    return KINDS[settings["kind"]](sizes, settings["dimension"], settings["seed"], device)
