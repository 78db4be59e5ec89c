"""What a loaded experiment holds."""

import shutil

import pytest
import yaml

from instruction_selection.experiment import load, own_rules
from instruction_selection.experiment.experiment import Experiment

from .conftest import CONFIG

DEMO = "experiments/demo.yaml"
EXPERIMENTS = sorted(path.stem for path in (CONFIG / "experiments").glob("*.yaml"))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_shipped_experiment__loads_and_can_be_read_again(name):
    experiment = load.load(CONFIG, name)
    assert experiment.name == name
    resolved = experiment.resolved()
    assert Experiment.model_validate(yaml.safe_load(yaml.safe_dump(resolved))) == experiment
    assert resolved == Experiment.model_validate(resolved).resolved()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_resolved__keeps_what_the_file_says(name):
    def contained(given, whole) -> bool:
        if isinstance(given, dict):
            return all(contained(value, whole[key]) for key, value in given.items())
        return type(given) is type(whole) and given == whole

    given = yaml.safe_load((CONFIG / f"experiments/{name}.yaml").read_text())
    assert contained(given, load.load(CONFIG, name).resolved()["settings"])


def test_defaults__are_filled_in_at_every_depth(folder):
    folder.set(DEMO, "gradients", {"shards": 3, "projection": {"dimension": 16}})
    folder.set("benchmarks/gsm-symbolic.yaml", "metrics", [{"name": "acc", "task": "answer", "label": "Accuracy"}])
    loaded = load.load(folder.path, "demo")
    assert loaded.settings.seeds == (0,)
    assert loaded.settings.threads.selection == 1
    assert loaded.settings.gradients.precision == "fp32"
    assert loaded.settings.gradients.projection.plain() == {"kind": "sjlt", "dimension": 16, "seed": 0}
    assert loaded.benchmarks["gsm-symbolic"].metrics[0].scale == 1
    assert loaded.methods["full"].needs == ()


def test_changing_plain_data__does_not_change_the_next_load():
    load.load(CONFIG, "demo").resolved()["settings"]["seeds"].append(1)
    load.load(CONFIG, "demo").methods["full"].params["delta"] = 1
    assert load.load(CONFIG, "demo").settings.seeds == (0,)
    assert load.load(CONFIG, "demo").methods["full"].params == {}


def test_training__has_the_experiment_in_the_place_of_the_file(folder):
    folder.set(DEMO, "finetune.training", {"lora_rank": 2})
    plain = load.load(folder.path, "demo").training["finetune"].plain()
    file = yaml.safe_load((CONFIG / "training/finetune.yaml").read_text())
    assert plain == {**file, "lora_rank": 2}


def test_warmup_of_the_whole_model__has_no_adapter(folder):
    folder.set(DEMO, "gradients.parameters", "full")
    training = load.load(folder.path, "demo").training
    assert training["warmup"].finetuning_type == "full"
    assert not any(key.startswith("lora_") for key in training["warmup"].plain())
    assert "lora_rank" in training["finetune"].plain()


def test_shards__are_those_of_the_pool(folder):
    assert load.load(CONFIG, "paper").settings.gradients.shards_of("cot") == 8
    assert load.load(CONFIG, "demo").settings.gradients.shards_of("reasoning") == 2


def test_method__may_share_the_code_of_another(folder):
    folder.choose("g2is-variance-0.1")
    entry = load.load(folder.path, "demo").methods["g2is-variance-0.1"]
    assert entry.module("g2is-variance-0.1") == "g2is"


def test_method_rule__needs_no_module(folder, monkeypatch):
    shutil.copy(folder.path / "methods/random.yaml", folder.path / "methods/my-own.yaml")
    folder.choose("my-own")
    monkeypatch.setattr(own_rules, "FOLDERS", (folder.path / "rules",))
    (folder.path / "rules").mkdir()
    (folder.path / "rules" / "my_own.smk").write_text("")
    assert list(load.load(folder.path, "demo").methods) == ["my-own"]


def test_method_that_selects_nothing__needs_no_code(folder):
    shutil.copy(folder.path / "methods/base.yaml", folder.path / "methods/my-own.yaml")
    folder.choose("my-own")
    assert list(load.load(folder.path, "demo").methods) == ["my-own"]
