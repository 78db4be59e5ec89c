"""How many rows the selections of a target have in common."""

import csv
import io

from instruction_selection.core.entry_names import ANY

#: What two selections must agree in to be compared.
SAME = ("model", "pool", "ratio", "seed")


def build(cells: list[tuple[dict[str, str], set[str]]]) -> list[dict]:
    """One row per ordered pair of methods of a target, for each model, pool, ratio and seed.

    `cells` are a cell's wildcards and the ids of the rows selected for it. `share` is of the first method's rows.
    """
    rows = []
    for cell, ids in cells:
        for other, other_ids in cells:
            agree = all(cell[key] == other[key] or ANY in (cell[key], other[key]) for key in SAME)
            if agree and cell["method"] != other["method"]:
                shared = len(ids & other_ids)
                rows.append(
                    {
                        **{key: cell[key] for key in SAME},
                        "method": cell["method"],
                        "other": other["method"],
                        "rows": len(ids),
                        "shared": shared,
                        "share": shared / len(ids),
                    }
                )
    return rows


def to_csv(rows: list[dict]) -> str:
    text = io.StringIO()
    names = [*SAME, "method", "other", "rows", "shared", "share"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
