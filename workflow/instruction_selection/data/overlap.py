"""Exact overlap, after folding case and white space, between evaluation rows and rows that training may see."""

from collections.abc import Iterable

from instruction_selection.core.uncoded_errors import InputError


def find(evaluation: list[dict], others: dict[str, Iterable[dict]]) -> dict[str, list[tuple[str, str]]]:
    """For each of `others`, which maps a file's name to its rows: (its row's id, the id of the same evaluation row).

    Compared are the rows' `overlap_text` where they have one, and else their instructions.
    """
    held_out = {_folded(row): row["id"] for row in evaluation}
    return {
        name: [(row["id"], held_out[_folded(row)]) for row in rows if _folded(row) in held_out]
        for name, rows in others.items()
    }


def refuse(found: dict[str, list[tuple[str, str]]]) -> None:
    """Raise `InputError`, which names the first overlap, unless there is none."""
    for name, pairs in found.items():
        for row, held_out in pairs:
            raise InputError(
                f"{name}: row {row} asks the same as evaluation row {held_out}, so a score would measure memory."
            )


def _folded(row: dict) -> str:
    return " ".join(row.get("overlap_text", row["instruction"]).casefold().split())
