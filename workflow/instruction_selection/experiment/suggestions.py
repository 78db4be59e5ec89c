"""The word that a misspelt one was meant to be."""

import difflib
from collections.abc import Iterable

#: Words that are listed if none is close.
LONGEST = 40


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """An ending for a sentence that names the closest of `known`, or all if they are few; nothing if there are none."""
    known = sorted(known)
    return closest(word, known) or (f" (known: {', '.join(known)})" if 0 < len(known) <= LONGEST else "")


def closest(word: str, known: Iterable[str]) -> str:
    """The same without a list of all."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
