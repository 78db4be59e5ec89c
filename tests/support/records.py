"""What files of results say that belong together, without running a job."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from instruction_selection.experiment.chain import PROVENANCE, Made, Place


def put(content: dict, place: tuple, value: Any) -> None:
    """Set a value in nested mappings and lists, which are made where they are missing."""
    for key, following in zip(place, place[1:], strict=False):
        content = (
            content.setdefault(key, [{}] if following == -1 else {}) if isinstance(content, dict) else content[key]
        )
    content[place[-1]] = value


def belonging_together(
    chain: Iterable[Made], values: Mapping[tuple[str, Place], str] | None = None
) -> dict[str, dict[str, Any]]:
    """By path, what `lineage.check` reads of the results of a chain, and accepts.

    `values` are hashes by (path, place) that are to be true; the others are made up.
    """
    chain = list(chain)
    contents: dict[str, dict] = {made.path: {} for made in chain}
    for made in chain:
        record = {"code": f"code of {made.rule}", "git_commit": "0123", "parameters": copy.deepcopy(made.settings)}
        put(contents[made.path], PROVENANCE, record)
        for place, settings in made.behind.items():
            put(contents[made.path], place, settings)
    for made in chain:
        for place, other, there in made.equal:
            value = (values or {}).get((other, there), f"{other} {there}")
            put(contents[made.path], place, value)
            put(contents[other], there, value)
    return contents
