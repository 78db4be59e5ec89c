"""Exact overlap, after folding case and white space, between evaluation rows and rows that training may see."""

from instruction_selection.errors import InputError


def check(evaluation: list[dict], others: dict[str, list[dict]]) -> dict[str, int]:
    """Rows compared per file; `InputError` names the first evaluation row that occurs in one of `others`.

    `others` maps a file's name, for the message, to its rows.
    """
    held_out = {_folded(row): row["id"] for row in evaluation}
    for name, rows in others.items():
        for row in rows:
            if _folded(row) in held_out:
                raise InputError(
                    f"{name}: row {row['id']} asks the same as evaluation row {held_out[_folded(row)]}, "
                    "so a score would measure memory."
                )
    return {name: len(rows) for name, rows in others.items()}


def _folded(row: dict) -> str:
    return " ".join(row["instruction"].casefold().split())
