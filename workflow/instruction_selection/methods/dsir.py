"""DSIR: importance resampling with hashed n-grams (Xie et al. 2023, "Data Selection for Language Models via Importance
Resampling").

The words and pairs of neighbouring words of a text are put into buckets by a hash. Over buckets j, p_j and q_j are the
shares of all n-grams of the validation rows and of the pool; the weight of an example with c_j n-grams in bucket j is
the product of (p_j / q_j) ** c_j. Examples are drawn without replacement with probabilities proportional to their
weights, by adding Gumbel noise to the logarithms and taking the largest.

Counts are smoothed by one, where the authors' package adds 1e-8 to the shares; and the hash is MurmurHash3, where that
has SHA-256. Long examples have many n-grams, so their weights are extreme. Subtasks make no difference. The text is
read twice, and one part of it is in memory.
"""

import numpy as np

from instruction_selection.core.parameters import Count
from instruction_selection.selection import Inputs, Texts
from instruction_selection.selection.algorithms import terms


def score(inputs: Inputs, rng: np.random.Generator, *, buckets: Count) -> np.ndarray:
    ratio = _log_shares(inputs.validation_text, buckets) - _log_shares(inputs.pool_text, buckets)
    weights = np.concatenate([counts @ ratio for _, counts in terms.hashed_ngrams(inputs.pool_text, buckets)])
    return weights + rng.gumbel(size=len(weights))


def _log_shares(texts: Texts, buckets: int) -> np.ndarray:
    """(buckets,): logarithms of the shares of n-grams in each bucket, with one more in each."""
    counts = np.ones(buckets)
    for _, found in terms.hashed_ngrams(texts, buckets):
        counts += found.sum(axis=0)
    return np.log(counts / counts.sum())
