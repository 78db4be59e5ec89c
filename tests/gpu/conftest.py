"""Collects what the tests on a GPU measure: a table at the end, and results/gpu.json for `snakemake estimate`."""

import datetime

import pytest
import torch

from instruction_selection.cost import gpu

#: By name: lines of text, and numbers with their units.
SHOWN: dict[str, str] = {}
MEASURED: dict[str, tuple[float, str]] = {}


@pytest.fixture
def show():
    """`show(label, value)`: a line of the table."""

    def line(label: str, value: str) -> None:
        SHOWN[label] = value

    return line


@pytest.fixture
def measured():
    """`measured(name, value, unit)`: a number for the table and for results/gpu.json.

    Estimates use the one with the name of a stage (`prices.WORK_UNIT`) in `gpu.rate_unit` of it.
    """

    def number(name: str, value: float, unit: str) -> None:
        MEASURED[name] = (value, unit)

    return number


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not SHOWN and not MEASURED:
        return
    card, memory_gib = torch.cuda.get_device_name(), torch.cuda.get_device_properties(0).total_memory / 2**30
    terminalreporter.section(f"{card}, {memory_gib:.1f} GiB")
    numbers = {name: f"{value:,.4g} {unit}" for name, (value, unit) in MEASURED.items()}
    for name, text in {**numbers, **SHOWN}.items():
        terminalreporter.line(f"{name:65} {text}")
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    path = gpu.write(config.rootpath / "results", card, memory_gib, date, MEASURED, SHOWN)
    terminalreporter.line(f"in {path}, which `snakemake estimate` reads")
