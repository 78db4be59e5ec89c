"""BM25: lexical relevance of an example to the validation rows (Robertson and Zaragoza 2009, "The Probabilistic
Relevance Framework: BM25 and Beyond").

An example is one text, instruction and response; so is a validation row, which is a query. Terms are maximal runs of
letters, digits and underscores in lower case; languages without spaces between words need another method.
The score of text d for query q is

    sum over terms t of q, with repetition:  idf(t) * f * (k1 + 1) / (f + k1 * (1 - b + b * |d| / mean length))

with f the occurrences of t in d, |d| the terms of d, and idf(t) = ln(1 + (N - n + 0.5) / (n + 0.5)) where n of the N
examples contain t. The 1 inside of the logarithm is Lucene's; without it, terms in most examples count less than
nothing. Queries are put together as in LESS: the mean over the validation rows of a subtask, then the maximum over
subtasks. The text is read twice, and one part of it is in memory.
"""

import numpy as np

from instruction_selection.core.parameters import NotNegative, Share
from instruction_selection.selection import Inputs
from instruction_selection.selection.algorithms import terms


def score(inputs: Inputs, rng: np.random.Generator, *, k1: NotNegative, b: Share) -> np.ndarray:
    queries = inputs.validation_text
    vocabulary = terms.vocabulary(queries)
    wanted = terms.mean_counts(queries, vocabulary)
    containing, total = np.zeros(len(vocabulary)), 0
    for _, counts, lengths in terms.counted(inputs.pool_text, vocabulary):
        containing += counts.count_nonzero(axis=0)
        total += lengths.sum()
    mean_length = max(total, 1) / inputs.pool_size
    weights = wanted * np.log1p((inputs.pool_size - containing + 0.5) / (containing + 0.5))
    result = np.empty(inputs.pool_size)
    for start, counts, lengths in terms.counted(inputs.pool_text, vocabulary):
        damping = np.repeat(k1 * (1 - b + b * lengths / mean_length), np.diff(counts.indptr))
        counts.data = counts.data * (k1 + 1) / (counts.data + damping)
        result[start : start + len(lengths)] = (counts @ weights.T).max(axis=1)
    return result
