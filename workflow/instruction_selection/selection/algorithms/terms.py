"""How often terms occur in texts: words for BM25, hashed n-grams for DSIR."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import HashingVectorizer

from instruction_selection.selection.texts import Texts

#: Texts that are counted together.
BLOCK = 512
WORD = re.compile(r"\w+")
#: NLTK's WordPunctTokenizer: a word, or a run of other signs.
WORD_OR_SIGNS = r"\w+|[^\w\s]+"


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def vocabulary(texts: Texts) -> dict[str, int]:
    """Every word of the texts, numbered in the order in which they occur."""
    found = dict.fromkeys(word for text in texts for word in words(str(text)))
    return {word: number for number, word in enumerate(found)}


def counted(texts: Texts, vocabulary: Mapping[str, int]) -> Iterator[tuple[int, csr_array, np.ndarray]]:
    """By blocks of n texts: the number of the first, occurrences of the words of a vocabulary (n, V), and the number
    of all words (n,)."""
    for start, block in _blocks(texts):
        numbers, occurrences, ends, lengths = [], [], [0], []
        for text in block:
            found = words(text)
            counts = Counter(vocabulary[word] for word in found if word in vocabulary)
            numbers += counts.keys()
            occurrences += counts.values()
            ends.append(len(numbers))
            lengths.append(len(found))
        parts = np.array(occurrences, np.float64), np.array(numbers, np.int64), np.array(ends)
        yield start, csr_array(parts, shape=(len(block), len(vocabulary))), np.array(lengths)


def mean_counts(texts: Texts, vocabulary: Mapping[str, int]) -> np.ndarray:
    """(K, V): how often a word occurs in a text of each of the K subtasks, on average."""
    names, subtasks = np.unique(np.asarray(texts.subtasks), return_inverse=True)
    result = np.zeros((len(names), len(vocabulary)))
    for start, counts, lengths in counted(texts, vocabulary):
        np.add.at(result, subtasks[start : start + len(lengths)], counts.toarray())
    return result / np.bincount(subtasks)[:, None]


def hashed_ngrams(texts: Texts, buckets: int) -> Iterator[tuple[int, csr_array]]:
    """By blocks of n texts: the number of the first, and occurrences (n, `buckets`) of its words, runs of signs, and
    pairs of neighbours, each in the bucket that a hash of it (MurmurHash3) gives."""
    vectorizer = HashingVectorizer(
        token_pattern=WORD_OR_SIGNS,
        ngram_range=(1, 2),
        n_features=buckets,
        alternate_sign=False,
        norm=None,  # pyright: ignore[reportArgumentType] (takes None)
    )
    for start, block in _blocks(texts):
        yield start, csr_array(vectorizer.transform(block))


def _blocks(texts: Texts) -> Iterator[tuple[int, list[str]]]:
    start, iterator = 0, iter(texts)
    while block := [str(text) for text in itertools.islice(iterator, BLOCK)]:
        yield start, block
        start += len(block)
