"""What the tables of docs/findings.md are read from and written with."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parents[2] / "docs"


class Combination(NamedTuple):
    representation: str
    choice: str


def read(name: str) -> list[dict[str, str]]:
    with (DOCS / "findings" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def combination_of(line: dict[str, str]) -> Combination:
    return Combination(line["representation"], line["choice"])


def table(heading: str, columns: Sequence[object], lines: Iterable[tuple[str, Iterable[str]]]) -> str:
    written = [f"| {heading} | {' | '.join(map(str, columns))} |", "|---|" + "---:|" * len(columns)]
    return "\n".join([*written, *(f"| {label} | {' | '.join(cells)} |" for label, cells in lines)]) + "\n"
