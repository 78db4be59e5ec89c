"""Why a job is planned, in one line: Snakemake's reasons list every file, and params as a whole before and after."""

import ast
import logging
import re
from typing import Any

from instruction_selection.core.code import DIGITS

PARAMS = re.compile(
    r"Params have changed .*? before: (?P<old>.*) now: (?P<new>.*?) (?=; Software environment|$)", re.DOTALL
)
NOTHING = "<nothing exclusive>"
#: The beginning of Snakemake's reason, what is said instead of it, and whether files follow.
REASONS = (
    ("Missing output files: ", "no result yet", False),
    ("Incomplete output files: ", "the last run did not finish it", False),
    ("Input files updated by another job: ", "after", True),
    ("Updated input files: ", "changed since the run:", True),
    ("Set of input files has changed since last execution", "it reads other files than in the last run", False),
    ("Software environment definition has changed since last execution", "its environment changed", False),
    ("Forced execution", "you asked for it", False),
)


class ShortReasons(logging.Filter):
    """Shortens the reason in Snakemake's record of a job."""

    def filter(self, record: logging.LogRecord) -> bool:
        if reason := getattr(record, "reason", None):
            record.reason = short(reason)
        return True


def short(reason: str) -> str:
    """A readable line for Snakemake's reason; what is not understood stays as it is."""
    # Values of params may have a semicolon.
    match = PARAMS.search(reason)
    others = reason[: match.start()] + reason[match.end() :] if match else reason
    said = [_short(part) for part in others.split("; ") if part.strip()]
    return "; ".join([*said, *([_of_params(match)] if match else [])])


def _short(reason: str) -> str:
    for start, said, files in REASONS:
        if reason.startswith(start):
            return f"{said} {_files(reason.removeprefix(start))}" if files else said
    return reason


def _of_params(match: re.Match[str]) -> str:
    old, new = _parsed(match["old"]), _parsed(match["new"])
    return match[0].strip() if old is None or new is None else _changes(old, new)


def _files(listing: str) -> str:
    first, *others = listing.split(", ")
    return f"{first} and {len(others)} more" if others else first


def _parsed(listing: str) -> list[Any] | None:
    """The values of params that only one of the two runs has."""
    if listing.strip() == NOTHING:
        return []
    try:
        return list(ast.literal_eval(f"[{listing}]"))
    except (ValueError, SyntaxError):
        return None


def _changes(old: list[Any], new: list[Any]) -> str:
    before, now = _leaves(old), _leaves(new)
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    code = sorted(key for key in keys if _is_hash(before.get(key, now.get(key))))
    settings = [f"{key} was {before.get(key)}, is {now.get(key)}" for key in keys if key not in code]
    said = [f"code of {', '.join(code)} changed since the run"] if code else []
    return "; ".join([*said, *settings])


def _leaves(values: list[Any]) -> dict[str, Any]:
    """Values that are no mapping, by dotted key; a hash of code by its module."""
    found: dict[str, Any] = {}
    for value in values:
        if isinstance(value, dict) and value and all(map(_is_hash, value.values())):
            found |= value
        elif isinstance(value, dict):
            found |= dict(_walk(value, ""))
        else:
            found.setdefault("params", []).append(value)
    return found


def _walk(value: dict, prefix: str) -> list[tuple[str, Any]]:
    found = []
    for key, inner in value.items():
        found += _walk(inner, f"{prefix}{key}.") if isinstance(inner, dict) and inner else [(f"{prefix}{key}", inner)]
    return found


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", value) is not None
