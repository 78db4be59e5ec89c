"""A table that does not fit its experiment is refused before any job starts, by its file and key."""

import shutil
from pathlib import Path

import pytest
import yaml

from instruction_selection import config
from instruction_selection.errors import InputError

CONFIG = Path(__file__).resolve().parents[2] / "config"
TABLE = {"label": "T", "caption": "C."}


@pytest.fixture
def folder(tmp_path):
    folder = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    settings = yaml.safe_load((folder / "experiments/smoke.yaml").read_text())
    (folder / "experiments/tables.yaml").write_text(yaml.safe_dump({**settings, "tables": ["mine"]}))
    return folder


def load(folder, **keys) -> config.Experiment:
    (folder / "tables/mine.yaml").write_text(yaml.safe_dump({**TABLE, **keys}))
    return config.load(folder, "tables")


def test_a_table_has_what_the_experiment_has_unless_it_says_otherwise(folder):
    plan = load(folder, methods=["less", "full"]).tables["mine"]
    assert plan["models"] == ["tiny-llama"]
    assert plan["targets"] == ["gsm-symbolic", "logic"]
    assert (plan["methods"], plan["ratios"], plan["kind"]) == (["less", "full"], [0.1], "benchmarks")


@pytest.mark.parametrize(
    ("methods", "baseline"),
    [(["full", "random", "less"], "random"), (["full", "less"], "full"), (["less"], None)],
)
def test_random_is_the_baseline_or_else_all_data(folder, methods, baseline):
    assert load(folder, methods=methods).tables["mine"]["baseline"] == baseline


def test_an_experiment_without_tables_has_one_for_each_target():
    tables = config.load(CONFIG, "smoke").tables
    assert list(tables) == ["gsm-symbolic", "logic"]
    for name, plan in tables.items():
        assert (plan["kind"], plan["targets"], plan["baseline"]) == ("target", [name], "random")


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"models": ["gemma-7b"]}, "models: experiment 'tables' has no 'gemma-7b'"),
        ({"pools": ["cot"]}, "pools: experiment 'tables' has no 'cot'"),
        ({"targets": ["logic+gsm8k"]}, "targets: experiment 'tables' has no 'gsm8k'"),
        ({"methods": ["gist"]}, "methods: experiment 'tables' has no 'gist'"),
        ({"ratios": [0.2]}, "ratios: experiment 'tables' has no 0.2"),
        ({"methods": ["less"], "baseline": "full"}, "baseline: 'full' is not among the table's methods"),
        ({"methods": ["less"], "relative_to": "g2is"}, "relative_to: 'g2is' is not among the table's methods"),
        ({"kind": "target"}, "targets: a table of kind 'target' has one target"),
        ({"kind": "target", "targets": ["logic+gsm-symbolic"]}, "and that is not joint"),
        ({"parameter": "variance"}, "parameter: method 'base' has no number 'variance'"),
        ({"tagets": ["logic"]}, "unknown key 'tagets' (did you mean 'targets'?)"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(folder, keys, named):
    with pytest.raises(InputError) as caught:
        load(folder, **keys)
    assert named in str(caught.value)
    assert str(folder / "tables/mine.yaml") in str(caught.value)


def test_published_numbers_that_are_missing_or_wrong_are_refused(folder):
    with pytest.raises(InputError, match=r"reported/none\.csv: does not exist"):
        load(folder, reported="none.csv")
    (folder / "tables/reported/bad.csv").write_text("model\nm\n")
    with pytest.raises(InputError, match="bad.csv: no column 'pool'"):
        load(folder, reported="bad.csv")


def test_a_parameter_is_shown_at_one_ratio(folder):
    settings = yaml.safe_load((folder / "experiments/tables.yaml").read_text())
    (folder / "experiments/tables.yaml").write_text(yaml.safe_dump({**settings, "ratios": [0.1, 0.2]}))
    with pytest.raises(InputError, match="a figure shows one ratio"):
        load(folder, methods=["g2is"], parameter="variance")
    assert load(folder, methods=["g2is"], parameter="variance", ratios=[0.2]).tables["mine"]["ratios"] == [0.2]


def test_shards_by_pool_name_every_pool(folder):
    settings = yaml.safe_load((folder / "experiments/tables.yaml").read_text())
    settings["gradients"]["shards"] = {"cot": 2}
    (folder / "experiments/tables.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(InputError, match=r"gradients\.shards: a mapping has exactly the pools reasoning"):
        load(folder)
