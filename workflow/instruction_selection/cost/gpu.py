"""What `make gpu` measured on a card, in `gpu.json` beside the experiments' results.

A value that is named like a stage, in its unit of work per second and GPU, is the rate that estimates use for GPU jobs
of this stage. All others are for people.
"""

from collections.abc import Mapping
from pathlib import Path

from instruction_selection.core import files
from instruction_selection.cost import prices
from instruction_selection.cost.prices import Price

NAME = "gpu.json"
#: A rate is taken to be uncertain by this factor, because other models and lengths have others; assumed.
SPREAD = 1.5


def rate_unit(stage: str) -> str:
    """Of what `make gpu` measures for a stage."""
    return f"{prices.WORK_UNIT[stage]} per second and GPU"


def write(
    results: str | Path,
    card: str,
    memory_gib: float,
    date: str,
    measured: Mapping[str, tuple[float, str]],
    shown: Mapping[str, str],
) -> Path:
    """Write `gpu.json` to the folder `results`; returns its path.

    `card` is the card's name, `measured` has numbers with their units, and `shown` lines of text, both by name. Raises
    `ValueError` for a rate of a stage in another unit than `rate_unit`.
    """
    for name, (_, unit) in measured.items():
        if name in prices.WORK_UNIT and unit != rate_unit(name):
            raise ValueError(f"{name}: the unit is {rate_unit(name)!r}, not {unit!r}")
    path = Path(results) / NAME
    numbers = {name: {"value": value, "unit": unit} for name, (value, unit) in measured.items()}
    files.write_json(
        path, {"card": card, "memory_gib": memory_gib, "date": date, "measured": numbers, "shown": dict(shown)}
    )
    return path


def rates(results: str | Path) -> dict[str, Price]:
    """Work per second and GPU by stage, as far as `make gpu` measured it; empty if it has not run."""
    path = Path(results) / NAME
    if not path.is_file():
        return {}
    found = files.read_json(path)
    source = f"measured: {found['card']}, make gpu, {found['date']}"
    return {
        stage: Price(rate / SPREAD, rate, rate * SPREAD, rate_unit(stage), source)
        for stage in prices.WORK_UNIT
        if stage in found["measured"] and (rate := found["measured"][stage]["value"])
    }
