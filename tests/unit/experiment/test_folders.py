"""Config files of a working directory, and those of the checkout behind them."""

import os
import shutil
from pathlib import Path

import pytest
from support.rejections import rejected

from instruction_selection.experiment import catalogue, load, own_rules
from instruction_selection.experiment.folders import CHECKOUT, Folders
from instruction_selection.experiment.model import Model

RULE = "rule select_mine:\n    output: PATHS.chosen\n"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """A working directory with nothing but an experiment of its own and another entry of a name that exists."""
    own = tmp_path / "config"
    for kind, name, as_name in (("experiments", "smoke", "mine"), ("models", "tiny-llama", "tiny-llama")):
        (own / kind).mkdir(parents=True)
        shutil.copy(CHECKOUT / kind / f"{name}.yaml", own / kind / f"{as_name}.yaml")
    model = own / "models/tiny-llama.yaml"
    model.write_text(model.read_text().replace("label: ", "label: My "))
    monkeypatch.chdir(tmp_path)
    return own


def test_folders__of_a_run_in_the_checkout_are_one(repository, monkeypatch):
    monkeypatch.chdir(repository)
    assert Folders.of_run().folders == (Path("config"),)


def test_load__takes_the_working_directory_first_and_then_the_checkout(elsewhere):
    experiment = load.load(Folders.of_run(), "mine")
    assert experiment.models["tiny-llama"].label.startswith("My ")
    assert experiment.pools["reasoning"] == load.load(CHECKOUT, "smoke").pools["reasoning"]
    # DeepSpeed's file, which the checkout's files of training name.
    assert all(Path(training.deepspeed or "").is_file() for training in experiment.training.values())
    assert {"mine", "smoke"} <= set(load.names(Folders.of_run(), type(experiment.settings)))
    assert load.names(Folders.of_run(), Model) == load.names(CHECKOUT, Model)


def test_load__names_the_published_numbers_of_the_checkout(elsewhere):
    [table] = [plan for name, plan in load.load(Folders.of_run(), "paper").tables.items() if name == "table1"]
    assert Path(table.reported) == CHECKOUT / "tables/reported/table1.csv"


def test_load__names_the_file_with_the_mistake(elsewhere):
    model = elsewhere / "models/tiny-llama.yaml"
    model.write_text(model.read_text() + "colour: red\n")
    with rejected("unknown-key", path="config/models/tiny-llama.yaml", key="colour"):
        load.load(Folders.of_run(), "mine")


def test_catalogue__lists_a_name_once_and_as_the_run_reads_it(elsewhere):
    listed = catalogue.text(Folders.of_run())
    assert listed.count("\n  tiny-llama ") == 1
    assert "\n  mine " in listed


def test_own_rules__are_of_the_working_directory_and_of_the_checkout(elsewhere, tmp_path):
    assert not own_rules.exists("mine")
    rules = tmp_path / "workflow/rules/methods"
    rules.mkdir(parents=True)
    (rules / "mine.smk").write_text(RULE)
    (rules / "mine.R").write_text("")
    assert own_rules.path("mine") == rules / "mine.smk"
    assert os.path.isabs(own_rules.path("mine"))
    assert "mine" in own_rules.names()
    assert own_rules.code("mine").keys() == {"mine.R", "mine.smk"}
