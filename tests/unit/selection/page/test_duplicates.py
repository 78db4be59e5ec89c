"""Rows that say the same."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.selection.page import duplicates

words = st.lists(st.sampled_from(["a", "b", "c", "dd"]), max_size=8).map(" ".join)


def sequences(text: str) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return set(zip(*(found[start:] for start in range(duplicates.WORDS)), strict=False))


@given(st.lists(words, min_size=1, max_size=12))
def test_find__is_what_comparing_all_pairs_gives(texts):
    for place, twin in enumerate(duplicates.find(texts)):
        before = range(place)
        equal = [other for other in before if texts[other] == texts[place]]
        similar = [
            other
            for other in before
            if (both := sequences(texts[other]) | sequences(texts[place]))
            and len(sequences(texts[other]) & sequences(texts[place])) >= duplicates.SIMILAR * len(both)
        ]
        expected = (equal[0], True) if equal else (similar[0], False) if similar else None
        assert twin == expected


def test_find__does_not_depend_on_the_size_of_blocks(monkeypatch):
    texts = [" ".join(order) for order in itertools.product("ab", repeat=5)]
    whole = duplicates.find(texts)
    monkeypatch.setattr(duplicates, "BLOCK", 5)
    assert duplicates.find(texts) == whole
    assert any(whole)


def test_find__takes_case_and_spaces_as_equal():
    assert duplicates.find(["One  two\nthree", "one two three "]) == [None, (0, True)]


def test_find__texts_of_fewer_words_are_only_equal_or_not():
    assert duplicates.find(["yes", "yes yes", "Yes", ""]) == [None, None, (0, True), None]
