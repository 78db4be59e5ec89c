"""How the lines of a table or a figure are called: by what differs between them."""

from instruction_selection.tables.rows import Row


def parts(rows: list[Row]) -> list[str]:
    """The attributes of rows that a line's name has: the method, and before it what not all rows share."""
    several = {
        "model": len({row.model for row in rows}) > 1,
        "pool": len({row.pool for row in rows if row.pool is not None}) > 1,
        "method": True,
        "ratio": _ratios_of_a_method(rows) > 1,
    }
    return [name for name, shown in several.items() if shown]


def of_lines(rows: list[Row]) -> list[str]:
    """One for each of `rows`."""
    shown = parts(rows)
    return [", ".join(filter(None, (getattr(row, name) for name in shown))) for row in rows]


def _ratios_of_a_method(rows: list[Row]) -> int:
    ratios: dict[str, set[str]] = {}
    for row in rows:
        ratios.setdefault(row.method, set()).add(row.ratio)
    return max(map(len, ratios.values()), default=0)
