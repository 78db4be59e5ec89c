"""One path per result, below the experiment's own folder."""

import dataclasses
import string

import pytest

from instruction_selection.experiment.grid import Cell
from instruction_selection.experiment.paths import CELL, Layout

PATTERNS = vars(Layout("demo"))
CELL_WILDCARDS = {field.name for field in dataclasses.fields(Cell)}
WILDCARDS = CELL_WILDCARDS | {"encoder", "benchmark", "shard", "checkpoint", "format", "table"}


def wildcards(pattern: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}


@pytest.mark.parametrize("name", PATTERNS)
def test_result__is_below_its_experiment(name):
    assert PATTERNS[name].startswith("results/demo/")
    assert wildcards(PATTERNS[name]) <= WILDCARDS


def test_results__can_go_elsewhere():
    for name, pattern in vars(Layout("demo", results="/big/disk")).items():
        assert pattern == PATTERNS[name].replace("results/", "/big/disk/", 1)


def test_results__never_share_a_path():
    same = {name: pattern.format(**dict.fromkeys(WILDCARDS, "x")) for name, pattern in PATTERNS.items()}
    assert len(set(same.values())) == len(same)


def test_run__is_named_by_everything_that_tells_cells_apart():
    assert wildcards(CELL) == CELL_WILDCARDS
    assert all(Layout("demo").run in pattern for pattern in PATTERNS.values() if "{method}" in pattern)


@pytest.mark.parametrize("kind", ["log", "benchmark"])
def test_job__has_a_unique_path_beside_the_results(kind):
    path = getattr(Layout("demo"), kind)
    assert path("train").startswith("results/demo/")
    assert wildcards(path("train", "model", "pool")) == {"model", "pool"}
    assert len({path("train"), path("train", "model"), path("select"), path("select", "model")}) == 4


def test_logs__and_benchmarks_do_not_share_paths():
    assert Layout("demo").log("train", "model") != Layout("demo").benchmark("train", "model")
