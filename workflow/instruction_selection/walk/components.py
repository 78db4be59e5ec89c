"""Principal components of validation gradients: where the walks of G2IS start and what they follow."""

import math

import numpy as np
from sklearn.decomposition import PCA

from instruction_selection.errors import InputError
from instruction_selection.subspace import basis


def principal_components(rows: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Leading components (k, D) that explain more than the share `variance`, and their shares (k,) of what they do.

    `rows` (M, D) are centred, as PCA does. Of the two directions of a component it is the one whose largest coordinate
    is positive: scikit-learn's convention, on which a walk's outcome depends, whatever scikit-learn's version.
    """
    return _pca(rows, variance)


def counted_components(rows: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """The same, but the first `share` of the components, counted and rounded up: of M centred rows min(M - 1, D)."""
    return _pca(rows, math.ceil(share * min(len(rows) - 1, rows.shape[1]) - 1e-9))


def leading(rows: np.ndarray, params: dict) -> tuple[np.ndarray, np.ndarray]:
    """By a method's parameters: `variance` for a share of the variance, or `count` for one of the components' number.

    Raises `InputError` unless there is exactly one of them.
    """
    asked = [(decompose, params[name]) for name, decompose in _SHARES.items() if name in params]
    if len(asked) != 1:
        raise InputError("params: G2IS needs either 'variance' or 'count' to know how many principal components.")
    [(decompose, share)] = asked
    return decompose(rows, share)


def first_components(rows: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """The same, but as many components as the share `ratio` of the dimension: the authors' code's `count_ratio`."""
    count = int(rows.shape[1] * ratio)
    if not 1 <= count <= min(rows.shape):
        raise InputError(f"{count} principal components cannot be had of {len(rows)} rows of {rows.shape[1]} numbers.")
    return _pca(rows, count)


def uncentred_components(rows: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """The same of `rows` (M, D) not centred: right singular vectors, and shares of the squared singular values."""
    directions = basis(rows, variance)
    explained = ((rows @ directions) ** 2).sum(0)
    return directions.T, explained / explained.sum()


def _pca(rows: np.ndarray, n_components: float) -> tuple[np.ndarray, np.ndarray]:
    if len(rows) < 2:
        raise InputError("G2IS needs at least two usable validation rows for principal components.")
    pca = PCA(n_components=n_components, svd_solver="full").fit(rows)
    components, explained = pca.components_, pca.explained_variance_ratio_
    largest = components[np.arange(len(components)), np.abs(components).argmax(1)]
    return components * np.where(largest < 0, -1, 1)[:, None].astype(rows.dtype), explained / explained.sum()


#: What a share may be of.
_SHARES = {"variance": principal_components, "count": counted_components}


def towards(components: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Each component (k, D), turned round if it points away from `direction` (D,)."""
    return components * np.where(components @ direction < 0, -1, 1)[:, None].astype(components.dtype)
