"""Principal components of validation gradients: where the walks of G2IS start and what they follow."""

import math

import numpy as np
from sklearn.decomposition import PCA

from instruction_selection.core.errors import InputError
from instruction_selection.selection.algorithms.subspace import basis


def principal_components(rows: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Leading components (k, D) that explain more than the share `variance`, and their shares (k,) of what they do.

    `rows` (M, D) are centred, as PCA does; components are unit vectors, by decreasing variance, in the rows' dtype. Of
    the two directions of a component it is the one whose largest coordinate is positive: scikit-learn's convention, on
    which a walk's outcome depends, whatever scikit-learn's version. Raises `InputError` for fewer than two rows. (Zhao
    et al. 2025, Algorithm 1, "top-k % by cumulative variance ratio"; the authors' code's default, `pca_mode` variance.)
    """
    return _pca(rows, variance)


def counted_components(rows: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """The same, but the first `share` of the components, counted and rounded up: of M centred rows min(M - 1, D).

    (Zhao et al. 2025, section 3.1, "first 50 % of principal components". The authors' code's `pca_mode` count_ratio
    counts int(D * share) instead, and stops with an error if these are more than M.)
    """
    return _pca(rows, math.ceil(share * min(len(rows) - 1, rows.shape[1]) - 1e-9))


def uncentred_components(rows: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """As `principal_components`, of `rows` (M, D) not centred: right singular vectors, and shares of their squares.

    Signs are as the decomposition gives them.
    """
    directions = basis(rows, variance)
    explained = ((rows @ directions) ** 2).sum(0)
    return directions.T, explained / explained.sum()


def _pca(rows: np.ndarray, n_components: float) -> tuple[np.ndarray, np.ndarray]:
    if len(rows) < 2:
        sentence = "G2IS needs at least two usable validation rows for principal components"
        raise InputError("too-few-validation-rows", sentence)
    pca = PCA(n_components=n_components, svd_solver="full").fit(rows)
    components, explained = np.asarray(pca.components_), np.asarray(pca.explained_variance_ratio_)
    largest = components[np.arange(len(components)), np.abs(components).argmax(1)]
    return components * np.where(largest < 0, -1, 1)[:, None].astype(rows.dtype), explained / explained.sum()


def towards(components: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Each of `components` (k, D), with the other sign if it points away from `direction` (D,)."""
    return components * np.where(components @ direction < 0, -1, 1)[:, None].astype(components.dtype)
