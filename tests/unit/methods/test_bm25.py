"""BM25 against the formula of its definition, one term of one text at a time."""

import functools
import math
import re

import numpy as np
import pytest

from instruction_selection import selection
from instruction_selection.methods import bm25
from instruction_selection.selection import Inputs, Texts
from instruction_selection.selection.algorithms import terms

POOL = [
    ("What is the capital of France?", "Paris is the capital of France."),
    ("Add 2 and 3.", "2 + 3 = 5"),
    ("Name a river.", "The Seine, the river of Paris."),
    ("Repeat the word.", "the the the the the the the the"),
    ("Ünïcode?", "ÜNÏCODE – über_all 日本"),
    ("?", "!"),
]
VALIDATION = [
    ("Name the capital of Peru.", "Lima"),
    ("Name the river of Paris.", "Seine"),
    ("What is 2 and 2?", "4"),
    ("And unïcode or ünïcode?", "the the"),
]
SUBTASKS = ["places", "places", "sums", "signs"]


def words(text) -> list[str]:
    return re.findall(r"\w+", " ".join(text).lower())


def okapi(pool: list, k1: float, b: float) -> list[float]:
    """Scores by Python's own numbers, without vectors."""
    texts = [words(text) for text in pool]
    mean_length = sum(map(len, texts)) / len(texts)

    @functools.cache
    def idf(term):
        containing = sum(term in text for text in texts)
        return math.log(1 + (len(texts) - containing + 0.5) / (containing + 0.5))

    def relevance(text, query):
        norm = k1 * (1 - b + b * len(text) / mean_length)
        return sum(
            idf(term) * text.count(term) * (k1 + 1) / (text.count(term) + norm) for term in query if term in text
        )

    scores = []
    for text in texts:
        of_subtask = {}
        for query, subtask in zip(VALIDATION, SUBTASKS, strict=True):
            of_subtask.setdefault(subtask, []).append(relevance(text, words(query)))
        scores.append(max(sum(found) / len(found) for found in of_subtask.values()))
    return scores


@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (2.0, 0.0), (0.5, 1.0), (0.0, 0.5)])
def test_score__is_okapi_bm25(k1, b):
    inputs = Inputs.of(len(POOL), pool_text=Texts.of(POOL), validation_text=Texts.of(VALIDATION, SUBTASKS))
    found = bm25.score(inputs, np.random.default_rng(0), k1=k1, b=b)
    assert found == pytest.approx(okapi(POOL, k1, b), rel=1e-12)
    assert (found > 0).any()


def test_score__of_a_pool_in_several_blocks():
    pool = POOL * (terms.BLOCK // len(POOL) + 2)
    inputs = Inputs.of(len(pool), pool_text=Texts.of(pool), validation_text=Texts.of(VALIDATION, SUBTASKS))
    found = bm25.score(inputs, np.random.default_rng(0), k1=1.2, b=0.75)
    assert found == pytest.approx(okapi(pool, 1.2, 0.75))


def test_score__of_texts_without_any_word_is_zero():
    inputs = Inputs.of(2, pool_text=Texts.of([("?", "!"), ("-", ".")]), validation_text=Texts.of([("?", "yes")]))
    assert selection.run_method("bm25", inputs, 2, {"k1": 1.2, "b": 0.75}, seed=0).indices.tolist() == [0, 1]
