"""Records of files that become no examples: counted by reason, with the first ones named."""

import unicodedata
from collections.abc import Mapping

from instruction_selection.data import control_tokens

#: Records that are named per reason.
NAMED = 3
#: Unicode's categories of white space, control and zero-width characters, and of marks, which need a letter.
UNSEEN = frozenset(("Cc", "Cf", "Cs", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"))
#: Letters and symbols (by category) that fonts draw as nothing.
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
#: A template would write a null or NaN; `sampling` finds these.
NO_VALUE = "no_value"


class LeftOut:
    """What one reading of files has left out."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, list[str]] = {}

    def add(self, reason: str, place: str) -> None:
        """Count one record; `place` names its file and its number there."""
        self._counts[reason] = self._counts.get(reason, 0) + 1
        if self._counts[reason] <= NAMED:
            self._first.setdefault(reason, []).append(place)

    def summary(self) -> dict[str, dict]:
        """By reason, in alphabetical order: `count`, and the `first` records."""
        return {
            reason: {"count": count, "first": self._first[reason]} for reason, count in sorted(self._counts.items())
        }

    def __str__(self) -> str:
        """For a sentence, with the first record of each reason; empty if nothing was left out."""
        return ", ".join(
            f"{count} {reason} ({self._first[reason][0].rpartition('/')[2]})"
            for reason, count in sorted(self._counts.items())
        )


def reason(row: Mapping[str, str], keep_control_tokens: bool) -> str | None:
    """Why an example cannot be used, or None if it can."""
    if any(unicodedata.category(character) == "Cc" for character in row["task"]):
        return "control_character_in_task"
    if not keep_control_tokens and control_tokens.first(row.get("system", "")):
        return "control_token"
    for name in ("instruction", "response"):
        if not visible(row[name]):
            return f"empty_{name}"
        if not keep_control_tokens and control_tokens.first(row[name]):
            return "control_token"
    return None


def visible(text: str) -> bool:
    """Whether a text has a visible character: white space, control and zero-width characters are not."""
    return any(unicodedata.category(character) not in UNSEEN and character not in BLANK for character in text)
