"""A wrong config stops before any job, with one sentence on the console."""

import shutil

import pytest
from support.checkout import Checkout

from instruction_selection.core import devices

SMOKE = "experiments/smoke.yaml"
CASES = {
    "unknown method": (SMOKE, "methods: [base", "methods: [lesss, base", r"smoke.yaml: no method 'lesss'"),
    "ratio 0": (SMOKE, "ratios: [0.1]", "ratios: [0]", "smoke.yaml: ratios.0: "),
    "ratio 1.5": (SMOKE, "ratios: [0.1]", "ratios: [1.5]", "smoke.yaml: ratios.0: "),
    "misspelt key": (SMOKE, "ratios:", "ratois:", "smoke.yaml: ratois: unknown key (did you mean 'ratios'?)"),
    "missing file": (SMOKE, "models: [tiny-llama]", "models: [tiny]", "models/tiny.yaml does not exist"),
    "benchmark without its task": (
        "benchmarks/logic.yaml",
        "harness:",
        "harnes:",
        "logic.yaml: harnes: unknown key (did you mean 'harness'?)",
    ),
    "parameter out of range": ("methods/g2is.yaml", "delta: 0.8", "delta: -5", "g2is.yaml: params.delta: "),
    "misspelt argument": (
        SMOKE,
        "lora_rank: 4",
        "lora_rnak: 4",
        "training.lora_rnak: LLaMA-Factory has no such argument (did you mean 'lora_rank'?)",
    ),
    "layer": (
        "training/finetune.yaml",
        "lora_target: q_proj",
        "lora_target: nope_proj",
        "finetune.yaml: lora_target: ",
    ),
}


@pytest.fixture(scope="module")
def checkout(fresh, tmp_path_factory) -> Checkout:
    """A checkout in which nothing has been run."""
    return Checkout(shutil.copytree(fresh.path, tmp_path_factory.mktemp("bad") / "checkout"))


@pytest.mark.parametrize("case", CASES)
def test_file__is_rejected_in_one_sentence(checkout, case):
    file, old, new, expected = CASES[case]
    path = checkout.path / "config" / file
    original = path.read_text()
    checkout.edit(f"config/{file}", old, new)
    try:
        rejected(checkout, expected)
    finally:
        path.write_text(original)


def test_experiment__that_is_missing_is_named(checkout):
    rejected(checkout, "no experiment 'smoek'", experiment="smoek")


def test_gated_model__needs_a_login(checkout, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    original = (checkout.path / "config/experiments/smoke.yaml").read_text()
    checkout.edit("config/experiments/smoke.yaml", "models: [tiny-llama]", "models: [llama-3.1-8b]")
    try:
        assert checkout.planned()["fetch"] == 1
        result = checkout.snakemake()
    finally:
        (checkout.path / "config/experiments/smoke.yaml").write_text(original)
    assert result.returncode != 0
    assert "config/models/llama-3.1-8b.yaml: meta-llama/Llama-3.1-8B is gated" in result.stdout + result.stderr
    assert not (checkout.path / "results").exists()


def test_key__that_the_command_line_does_not_choose_is_rejected(checkout):
    result = checkout.snakemake("--config", "experiment=smoke", "ratio=0.3")
    assert result.returncode != 0
    assert "unknown key 'ratio'" in result.stdout + result.stderr


def test_gpus__that_are_missing_are_warned_of(checkout):
    if devices.has_gpu():
        pytest.skip("this machine has a GPU")
    result = checkout.snakemake("--until", "resolve_config")
    assert result.returncode == 0, result.stderr
    assert "wants GPUs for training, and this machine shows none: the processor computes instead" in result.stderr
    quiet = checkout.snakemake("--until", "resolve_config", experiment="demo")
    assert quiet.returncode == 0, quiet.stderr
    assert "wants GPUs" not in quiet.stderr


def rejected(checkout, expected: str, experiment: str = "smoke") -> None:
    result = checkout.snakemake(experiment=experiment)
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert expected in output
    assert "Traceback" not in output
    assert not (checkout.path / "results").exists()
