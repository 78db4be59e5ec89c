"""Rows in two dimensions: principal components of the features that a method compares, or else of words."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from instruction_selection.features.matrix import FeatureMatrix

#: Buckets that a hash puts words in: few, so that a few thousand rows of them are small.
BUCKETS = 2**12


class Plane(NamedTuple):
    """Coordinates of rows of a pool (n, 2) and of validation rows (m, 2), and the share of the pool's variance that the
    two axes have."""

    pool: np.ndarray
    validation: np.ndarray
    variance: float


def of_features(pool: FeatureMatrix, validation: FeatureMatrix, places: np.ndarray, sample: int) -> Plane | None:
    """Of the rows `places` (n,) of a pool, and of the usable validation rows.

    The components are those of the first `sample` of them, a uniform sample of the pool. None if these do not differ.
    """
    return _projected(pool.take(places), validation.take(np.flatnonzero(validation.usable)), sample)


def of_words(pool: Sequence[str], validation: Sequence[str], sample: int) -> Plane | None:
    """The same of texts: how often words occur in them, weighted by how rare they are in the sample (TF-IDF)."""
    words = HashingVectorizer(token_pattern=r"\w+", n_features=BUCKETS, alternate_sign=False)
    counts = csr_array(words.transform([*pool, *validation]))
    rows = csr_array(TfidfTransformer().fit(counts[:sample]).transform(counts)).toarray().astype(np.float32)
    return _projected(rows[: len(pool)], rows[len(pool) :], sample)


def _projected(rows: np.ndarray, validation: np.ndarray, sample: int) -> Plane | None:
    fitted = rows[:sample]
    if min(fitted.shape) < 2 or (fitted == fitted[0]).all():
        return None
    components = PCA(2, svd_solver="randomized", random_state=0).fit(fitted)
    mapped = components.transform(np.concatenate([rows, validation]))
    return Plane(mapped[: len(rows)], mapped[len(rows) :], float(components.explained_variance_ratio_.sum()))
