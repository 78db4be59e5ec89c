"""A wrong config stops before any job, with one sentence on the console."""

import shutil

import pytest
from support.checkout import Checkout

from instruction_selection.experiment import machines

CASES = {
    "unknown method": ("methods: [base", "methods: [lesss, base", r"smoke.yaml: no method 'lesss'"),
    "ratio 0": ("ratios: [0.1]", "ratios: [0]", "smoke.yaml: ratios.0: "),
    "ratio 1.5": ("ratios: [0.1]", "ratios: [1.5]", "smoke.yaml: ratios.0: "),
    "misspelt key": ("ratios:", "ratois:", "smoke.yaml: ratois: unknown key (did you mean 'ratios'?)"),
    "missing file": ("models: [tiny-llama]", "models: [tiny]", "models/tiny.yaml does not exist"),
}


@pytest.fixture(scope="module")
def checkout(fresh, tmp_path_factory) -> Checkout:
    """A checkout in which nothing has been run."""
    return Checkout(shutil.copytree(fresh.path, tmp_path_factory.mktemp("bad") / "checkout"))


@pytest.mark.parametrize("case", CASES)
def test_the_experiment(checkout, case):
    old, new, expected = CASES[case]
    original = (checkout.path / "config/experiments/smoke.yaml").read_text()
    checkout.edit("config/experiments/smoke.yaml", old, new)
    try:
        refused(checkout, expected)
    finally:
        (checkout.path / "config/experiments/smoke.yaml").write_text(original)


def test_a_benchmark_without_its_task(checkout):
    original = (checkout.path / "config/benchmarks/logic.yaml").read_text()
    (checkout.path / "config/benchmarks/logic.yaml").write_text(original.replace("harness:", "harnes:"))
    try:
        refused(checkout, "logic.yaml: harnes: unknown key (did you mean 'harness'?)")
    finally:
        (checkout.path / "config/benchmarks/logic.yaml").write_text(original)


def test_an_experiment_that_is_not_there(checkout):
    refused(checkout, "no experiment 'smoek'", experiment="smoek")


def test_a_gated_model_without_a_login(checkout, monkeypatch, tmp_path):
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


def test_a_key_that_the_command_line_does_not_choose(checkout):
    result = checkout.snakemake("--config", "experiment=smoke", "ratio=0.3")
    assert result.returncode != 0
    assert "unknown key 'ratio'" in result.stdout + result.stderr


def test_gpus_that_are_not_there_are_missed_aloud(checkout):
    if machines.has_gpu():
        pytest.skip("this machine has a GPU")
    result = checkout.snakemake("--until", "resolve_config")
    assert result.returncode == 0, result.stderr
    assert "wants GPUs for training, and this machine shows none: the processor computes instead" in result.stderr
    quiet = checkout.snakemake("--until", "resolve_config", experiment="demo")
    assert quiet.returncode == 0, quiet.stderr
    assert "wants GPUs" not in quiet.stderr


def refused(checkout, expected: str, experiment: str = "smoke") -> None:
    result = checkout.snakemake(experiment=experiment)
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert expected in output
    assert "Traceback" not in output
    assert not (checkout.path / "results").exists()
