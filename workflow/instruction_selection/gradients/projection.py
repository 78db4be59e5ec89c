"""Random projections of gradients that keep inner products in expectation."""

import numpy as np
import torch


class SparseJL:
    """Sparse Johnson-Lindenstrauss transform with one random bucket and sign per coordinate.

    Unbiased: E<Pa, Pb> = <a, b>, and no P x D matrix is ever formed (Kane and Nelson, 2014, with column sparsity 1;
    also called CountSketch). Fixed by seed, dimension and the order and sizes of the parameters.
    """

    def __init__(self, sizes: list[int], dimension: int, seed: int, device: torch.device):
        self.dimension = dimension
        self._buckets, self._signs = [], []
        for number, size in enumerate(sizes):
            rng = np.random.default_rng([seed, number])
            buckets = rng.integers(dimension, size=size, dtype=np.int32)
            signs = rng.integers(2, size=size, dtype=np.int8) * np.int8(2) - np.int8(1)
            self._buckets.append(torch.from_numpy(buckets).to(device))
            self._signs.append(torch.from_numpy(signs).to(device, torch.float32))

    def add(self, number: int, gradients: torch.Tensor, out: torch.Tensor) -> None:
        """Add the projection of parameter `number`'s gradients, (rows, size), to `out`, (rows, dimension)."""
        out.index_add_(1, self._buckets[number], gradients * self._signs[number])
