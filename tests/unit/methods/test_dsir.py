"""DSIR against a plain computation with dictionaries and one text at a time."""

import re
from collections import Counter

import numpy as np
import pytest
from sklearn.utils import murmurhash3_32

from instruction_selection import selection
from instruction_selection.selection import Inputs, Texts

WORDS = [f"word{number}" for number in range(200)]


def texts(count: int, first: int, seed: int) -> list[tuple[str, str]]:
    """Of 100 of the words, from `first`, with signs between some of them."""
    rng, words = np.random.default_rng(seed), WORDS[first : first + 100]
    return [
        (" ".join(rng.choice(words, size=length)).title() + "?!", ", ".join(rng.choice(words, size=length)))
        for length in rng.integers(1, 12, size=count)
    ]


def counts(text: tuple[str, str], buckets: int) -> Counter:
    found = re.findall(r"\w+|[^\w\s]+", "\n".join(text).lower())
    ngrams = found + [f"{one} {two}" for one, two in zip(found, found[1:], strict=False)]
    return Counter(abs(murmurhash3_32(ngram, seed=0)) % buckets for ngram in ngrams)


def weights(pool, validation, buckets: int) -> np.ndarray:
    """Logarithms of the importance weights."""
    shares = []
    for side in (validation, pool):
        total = sum((counts(text, buckets) for text in side), Counter())
        shares.append({j: (total[j] + 1) / (sum(total.values()) + buckets) for j in range(buckets)})
    target, raw = shares
    return np.array([sum(c * np.log(target[j] / raw[j]) for j, c in counts(text, buckets).items()) for text in pool])


@pytest.mark.parametrize("buckets", [7, 10_000])
def test_select__adds_gumbel_noise_to_the_log_weights(buckets):
    pool, validation = texts(600, 50, seed=0) + texts(100, 0, seed=1), texts(20, 0, seed=2)
    noise = np.random.default_rng(3).gumbel(size=len(pool))
    expected = np.argsort(-(weights(pool, validation, buckets) + noise))[:50]
    inputs = Inputs.of(len(pool), pool_text=Texts.of(pool), validation_text=Texts.of(validation))
    found = selection.run_method("dsir", inputs, 50, {"buckets": buckets}, seed=3)
    assert found.indices.tolist() == expected.tolist()


def test_select__prefers_texts_with_the_words_of_the_validation_rows():
    pool, validation = texts(600, 100, seed=0) + texts(60, 0, seed=1), texts(20, 0, seed=2)
    inputs = Inputs.of(len(pool), pool_text=Texts.of(pool), validation_text=Texts.of(validation))
    chosen = selection.run_method("dsir", inputs, 50, {"buckets": 10_000}, seed=0).indices
    # They are a tenth of the pool, and draws of short texts are noisy.
    assert (chosen >= 600).mean() > 0.4


def test_select__draws_in_proportion_to_the_weights():
    """Two kinds of text, one of which weighs w times as much: the first draw is of it in w of w + 1 cases."""
    pool, validation = [("a", "b"), ("a", "c")], [("a", "b")]
    [one, other] = np.exp(weights(pool, validation, 5))
    inputs = Inputs.of(2, pool_text=Texts.of(pool), validation_text=Texts.of(validation))
    draws = [selection.run_method("dsir", inputs, 1, {"buckets": 5}, seed).indices[0] for seed in range(2000)]
    assert np.mean(np.array(draws) == 0) == pytest.approx(one / (one + other), abs=0.04)
    assert one != pytest.approx(other)
