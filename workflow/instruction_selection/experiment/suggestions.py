"""The word that a misspelt one was meant to be."""

import difflib
from collections.abc import Iterable

#: Words that are listed if none is close.
LONGEST = 40


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The end of a sentence: the closest of `names`, or all if they are few; nothing if there are none."""
    names = sorted(names)
    return closest(word, names) or (f" (available: {', '.join(names)})" if 0 < len(names) <= LONGEST else "")


def closest(word: str, names: Iterable[str]) -> str:
    """The same without a list of all."""
    close = difflib.get_close_matches(word, list(names), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
