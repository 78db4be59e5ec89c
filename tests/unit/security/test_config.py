"""Settings that would run somebody's code, write elsewhere or hold a secret are refused; secrets are not repeated."""

import shutil
from pathlib import Path

import pytest

from instruction_selection import config
from instruction_selection.errors import InputError

CONFIG = Path(__file__).resolve().parents[3] / "config"


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def refusal(folder: Path, file: str, old: str, new: str, experiment: str = "smoke") -> str:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        config.load(folder, experiment)
    assert str(folder / file) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("trust_remote_code", "it runs code that comes with a model"),
        ("hf_hub_token", "secrets are given in the environment"),
        ("hub_token", "secrets are given in the environment"),
        ("swanlab_api_key", "secrets are given in the environment"),
        ("push_to_hub", "it writes outside of `results`"),
        ("logging_dir", "it writes outside of `results`"),
        ("export_dir", "it writes outside of `results`"),
        ("cache_dir", "it writes outside of `results`"),
        ("output_dir", "the workflow sets it"),
    ],
)
@pytest.mark.parametrize("value", ["true", "hf_secret"])
def test_training_settings(folder, key, why, value):
    sentence = refusal(folder, "training/finetune.yaml", "stage: sft", f"{key}: {value}\nstage: sft")
    assert f"finetune.yaml: {key}: {why}" in sentence
    assert "hf_secret" not in sentence


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("unsafe_code: true", "unsafe_code: tasks that run what a model writes stay off, so it may not be given."),
        ("unsafe_code: false", "unsafe_code: tasks that run what a model writes stay off, so it may not be given."),
        ("dataset_path: evil/data", "dataset_path: the workflow sets it, so it may not be given."),
        ("dataset_kwargs: {trust_remote_code: true}", "dataset_kwargs: the workflow sets it, so it may not be given."),
        ("include: ../../evil.yaml", "include: '../../evil.yaml' is not a path below its folder, without '..'."),
        ("include: /tmp/evil.yaml", "include: '/tmp/evil.yaml' is not a path below its folder, without '..'."),
        ("process_docs: !function evil.main", "not valid YAML (could not determine a constructor"),
    ],
)
def test_harness_tasks(folder, line, expected):
    new = f"    {line}\n    output_type: loglikelihood"
    assert expected in refusal(folder, "benchmarks/logic.yaml", "    output_type: loglikelihood", new)


@pytest.mark.parametrize("metric", ["code_eval", "./evil", "evil/metric", "/tmp/evil.py"])
def test_metrics_that_are_programs(folder, metric):
    sentence = refusal(folder, "benchmarks/logic.yaml", "{metric: acc,", f"{{metric: {metric},")
    assert f"metric: '{metric}' is not the name of a metric that runs nothing." in sentence


@pytest.mark.parametrize("name", ["pytorch_model.bin", "*.bin", "*", "model.pt", "*.pkl", "modeling_evil.py"])
@pytest.mark.parametrize("file", ["models/tiny-llama.yaml", "encoders/all-minilm-l6-v2.yaml"])
def test_weights_are_safetensors(folder, file, name):
    source = f"source: {{kind: hub, repository: a/b, revision: main, files: ['*.json', '{name}']}}\n"
    text = (folder / file).read_text()
    sentence = refusal(folder, file, text[text.index("source:") :], source)
    assert f"source.files: '{name}' does not end in one of .safetensors, .json" in sentence


def test_every_model_that_comes_with_the_project_has_safetensors():
    for kind in ("model", "encoder"):
        for name in config.names(CONFIG, kind):
            source = config.read_entry(CONFIG, kind, name)["source"]
            assert source["kind"] != "hub" or any(file.endswith(".safetensors") for file in source["files"])


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@example.org/data",
        "https://user:hunter2@example.org/",
        "https://hunter2@example.org/data",
        "https://example.org/data?token=hunter2",
        "ftp://user:hunter2@example.org/data",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(folder, url):
    write_pool(folder, url)
    sentence = refusal(folder, "pools/mine.yaml", "label: P", "label: Q", swapped(folder, "reasoning:", "mine:"))
    assert "rows.source.url: its value is not an http address without user name, password" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("old", ["files: [a]", "kind: url", "'https"])
def test_other_mistakes_beside_a_password_do_not_show_it(folder, old):
    write_pool(folder, "https://user:hunter2@example.org/data")
    sentence = refusal(folder, "pools/mine.yaml", old, "7: [", swapped(folder, "reasoning:", "mine:"))
    assert "hunter2" not in sentence
    assert "hunter2" not in str(InputError("https://user:hunter2@example.org/data: HTTP status 404."))


def write_pool(folder: Path, url: str) -> None:
    rows = f"{{source: {{kind: url, url: '{url}', files: [a]}}, instruction: a, response: a}}"
    (folder / "pools/mine.yaml").write_text(f"label: P\nsummary: P.\nrows: {rows}\n")


def swapped(folder: Path, old: str, new: str) -> str:
    """The name of the smoke experiment, in which `old` has become `new`."""
    path = folder / "experiments/smoke.yaml"
    path.write_text(path.read_text().replace(old, new))
    return "smoke"
