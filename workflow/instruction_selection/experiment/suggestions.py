"""The word that a misspelt one was meant to be."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The end of a sentence: names the closest of `names`, or all of them; nothing if there are none."""
    names = sorted(names)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (available: {', '.join(names)})" if names else ""
