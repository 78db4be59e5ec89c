"""A table that does not fit its experiment is rejected before any job starts, by its file and key."""

import shutil
from pathlib import Path

import pytest
import yaml
from support.rejections import rejected

from instruction_selection.experiment import load as loading
from instruction_selection.experiment.experiment import Experiment

from .conftest import CONFIG

TABLE = {"label": "T", "caption": "C."}


@pytest.fixture
def folder(tmp_path):
    folder = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    settings = yaml.safe_load((folder / "experiments/smoke.yaml").read_text())
    (folder / "experiments/tables.yaml").write_text(yaml.safe_dump({**settings, "tables": ["mine"]}))
    return folder


def load(folder, **keys) -> Experiment:
    (folder / "tables/mine.yaml").write_text(yaml.safe_dump({**TABLE, **keys}))
    return loading.load(folder, "tables")


def test_table__has_what_the_experiment_has_unless_it_says_otherwise(folder):
    plan = load(folder, methods=["less", "full"]).tables["mine"]
    assert plan.models == ("tiny-llama",)
    assert plan.targets == ("gsm-symbolic", "logic")
    assert (plan.methods, plan.ratios, plan.kind) == (("less", "full"), (0.1,), "benchmarks")


@pytest.mark.parametrize(
    ("methods", "baseline"),
    [(["full", "random", "less"], "random"), (["full", "less"], "full"), (["less"], None)],
)
def test_baseline__is_random_or_else_all_data(folder, methods, baseline):
    assert load(folder, methods=methods).tables["mine"].baseline == baseline


def test_experiment_without_tables__has_one_for_each_target():
    tables = loading.load(CONFIG, "smoke").tables
    assert list(tables) == ["gsm-symbolic", "logic"]
    for name, plan in tables.items():
        assert (plan.kind, plan.targets, plan.baseline) == ("target", (name,), "random")


@pytest.mark.parametrize(
    ("keys", "code", "key"),
    [
        ({"models": ["gemma-7b"]}, "not-in-experiment", "models"),
        ({"pools": ["cot"]}, "not-in-experiment", "pools"),
        ({"targets": ["logic+gsm8k"]}, "not-in-experiment", "targets"),
        ({"methods": ["gist"]}, "not-in-experiment", "methods"),
        ({"ratios": [0.2]}, "not-in-experiment", "ratios"),
        ({"targets": ["logic+logic"]}, "duplicate-target", "targets"),
        ({"targets": ["logic+gsm-symbolic", "gsm-symbolic+logic"]}, "duplicate-target", "targets"),
        ({"targets": ["logic+"]}, "not-in-experiment", "targets"),
        ({"targets": ["../logic"]}, "not-in-experiment", "targets"),
        ({"methods": ["less"], "baseline": "full"}, "not-in-table", "baseline"),
        ({"methods": ["less"], "relative_to": "g2is"}, "not-in-table", "relative_to"),
        ({"kind": "target"}, "several-targets", "targets"),
        ({"kind": "target", "targets": ["logic+gsm-symbolic"]}, "several-targets", "targets"),
        ({"parameter": "variance"}, "no-such-parameter", "parameter"),
        ({"reported": "../demo.yaml"}, "not-allowed", "reported"),
        ({"tagets": ["logic"]}, "unknown-key", "tagets"),
    ],
)
def test_table__that_does_not_fit_is_rejected(folder, keys, code, key):
    with rejected(code, path=folder / "tables/mine.yaml", key=key):
        load(folder, **keys)


def test_published_numbers__that_are_missing_or_wrong_are_rejected(folder):
    with rejected("no-published-file", path=folder / "tables/reported/none.csv"):
        load(folder, reported="none.csv")
    (folder / "tables/reported/bad.csv").write_text("model\nm\n")
    with rejected("no-column", path=folder / "tables/reported/bad.csv", key="pool"):
        load(folder, reported="bad.csv")
    (folder / "tables/reported/bad.csv").write_bytes(b"\xff\xfe\0")
    with rejected("not-csv", path=folder / "tables/reported/bad.csv"):
        load(folder, reported="bad.csv")


def test_parameter__is_shown_at_one_ratio(folder):
    settings = yaml.safe_load((folder / "experiments/tables.yaml").read_text())
    (folder / "experiments/tables.yaml").write_text(yaml.safe_dump({**settings, "ratios": [0.1, 0.2]}))
    with rejected("several-ratios", path=folder / "tables/mine.yaml", key="ratios"):
        load(folder, methods=["g2is"], parameter="variance")
    assert load(folder, methods=["g2is"], parameter="variance", ratios=[0.2]).tables["mine"].ratios == (0.2,)
