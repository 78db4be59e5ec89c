"""Which rows say the same as a row before them, or nearly the same."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from scipy.sparse import csr_array
from sklearn.feature_extraction.text import HashingVectorizer

#: The share of sequences of `WORDS` words that two texts must have in common, of those that either has.
SIMILAR, WORDS = 0.7, 3
#: Buckets of the hash; a collision makes two texts look a little more alike.
BUCKETS = 2**22
#: Rows that are compared with all others at once.
BLOCK = 256


class Twin(NamedTuple):
    """The first earlier row that is like another, and whether their texts are equal but for case and spaces."""

    place: int
    exact: bool


def find(texts: Sequence[str]) -> list[Twin | None]:
    """For each text its twin, an equal one before one that is only similar (Jaccard index of word sequences)."""
    counts = HashingVectorizer(
        token_pattern=r"\w+",
        ngram_range=(WORDS, WORDS),
        n_features=BUCKETS,
        binary=True,
        alternate_sign=False,
        norm=None,  # pyright: ignore[reportArgumentType] (its default is of another type than its documentation)
    ).transform(texts)
    sequences = csr_array(counts)
    sizes = sequences.sum(axis=1)
    found: list[Twin | None] = []
    first: dict[str, int] = {}
    for start in range(0, len(texts), BLOCK):
        shared = csr_array(sequences[start : start + BLOCK] @ sequences.T)
        for offset, text in enumerate(texts[start : start + BLOCK]):
            place = start + offset
            equal = first.setdefault(re.sub(r"\s+", " ", text).strip().casefold(), place)
            row = slice(shared.indptr[offset], shared.indptr[offset + 1])
            others, common = shared.indices[row], shared.data[row]
            similar = others[(others < place) & (common >= SIMILAR * (sizes[others] + sizes[place] - common))]
            if equal < place:
                found.append(Twin(equal, exact=True))
            else:
                found.append(Twin(int(similar.min()), exact=False) if len(similar) else None)
    return found
