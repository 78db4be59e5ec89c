"""Settings that would run somebody's code, write elsewhere or hold a secret are rejected; secrets are not repeated."""

import pytest
from support.rejections import rejected

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import load
from instruction_selection.experiment.model import Encoder, Model

from .conftest import CONFIG

SMOKE = "experiments/smoke.yaml"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("trust_remote_code", "remote-code"),
        ("hf_hub_token", "secret"),
        ("hub_token", "secret"),
        ("swanlab_api_key", "secret"),
        ("push_to_hub", "writes-elsewhere"),
        ("logging_dir", "writes-elsewhere"),
        ("export_dir", "writes-elsewhere"),
        ("cache_dir", "writes-elsewhere"),
        ("output_dir", "set-by-workflow"),
    ],
)
@pytest.mark.parametrize("value", ["true", "hf_hunter2"])
def test_training__rejects(folder, key, code, value):
    folder.replace("training/finetune.yaml", "stage: sft", f"{key}: {value}\nstage: sft")
    with rejected(code, path=folder.path / "training/finetune.yaml", key=key) as caught:
        load.load(folder.path, "smoke")
    assert "hunter2" not in str(caught.value)


#: In the place of the one line of the task `cot` in `conftest.EXAM`.
TASK = "{doc_to_text: q, doc_to_target: a, output_type: generate_until, metric_list: [{metric: acc}]"


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("unsafe_code", "true", "unsafe-code"),
        ("unsafe_code", "false", "unsafe-code"),
        ("dataset_path", "evil/data", "set-by-workflow"),
        ("dataset_kwargs", "{trust_remote_code: true}", "set-by-workflow"),
        ("include", "../../evil.yaml", "not-allowed"),
        ("include", "/tmp/evil.yaml", "not-allowed"),
    ],
)
def test_harness__rejects(with_files, key, value, code):
    with_files.replace("benchmarks/exam.yaml", "\n    include: gsm8k/gsm8k.yaml", f" {TASK}, {key}: {value}}}")
    with rejected(code, path=with_files.path / "benchmarks/exam.yaml", key=f"harness.cot.{key}"):
        load.load(with_files.path, "demo")


def test_harness__calls_no_function(with_files):
    with_files.replace("benchmarks/exam.yaml", "gsm8k/gsm8k.yaml", "gsm8k/gsm8k.yaml\n    process_docs: !function a.b")
    with rejected("yaml-syntax", path=with_files.path / "benchmarks/exam.yaml"):
        load.load(with_files.path, "demo")


@pytest.mark.parametrize("metric", ["code_eval", "./evil", "evil/metric", "/tmp/evil.py"])
def test_metric__that_names_a_program_is_rejected(with_files, metric):
    with_files.replace("benchmarks/exam.yaml", "\n    include: gsm8k/gsm8k.yaml", f" {TASK.replace('acc', metric)}}}")
    key = "harness.cot.metric_list.0.metric"
    with rejected("not-allowed", path=with_files.path / "benchmarks/exam.yaml", key=key):
        load.load(with_files.path, "demo")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "*.bin", "*", "model.pt", "*.pkl", "modeling_evil.py"])
@pytest.mark.parametrize("file", ["models/tiny-llama.yaml", "encoders/all-minilm-l6-v2.yaml"])
def test_weights__are_safetensors(folder, file, name):
    text = (folder.path / file).read_text()
    source = f"source: {{kind: hub, repository: a/b, revision: main, files: ['*.json', '{name}']}}\n"
    folder.write(file, text[: text.index("source:")] + source)
    with rejected("not-allowed", path=folder.path / file, key="source.files.1"):
        load.load(folder.path, "smoke")


@pytest.mark.parametrize("kind", [Model, Encoder])
def test_shipped_weights__are_safetensors(kind):
    sources = [load.read_entry(CONFIG, kind, name).source for name in load.names(CONFIG, kind)]
    for source in sources:
        assert source.kind != "hub" or any(file.endswith(".safetensors") for file in source.files)


def write_pool(folder, url: str) -> None:
    rows = f"{{source: {{kind: url, url: '{url}', files: [a]}}, instruction: a, response: a}}"
    folder.write("pools/mine.yaml", f"label: P\nsummary: P.\nrows: {rows}\n")
    folder.replace(SMOKE, "reasoning:", "mine:")


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
def test_password_in_an_address__is_rejected_and_not_repeated(folder, url):
    write_pool(folder, url)
    with rejected("not-allowed", path=folder.path / "pools/mine.yaml", key="rows.source.url") as caught:
        load.load(folder.path, "smoke")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("old", ["files: [a]", "kind: url", "'https", "source:", "rows: {source:"])
def test_other_mistakes_beside_a_password__do_not_show_it(folder, old):
    write_pool(folder, "https://user:hunter2@example.org/data")
    folder.replace("pools/mine.yaml", old, f"7: [{old}")
    with pytest.raises(InputError) as caught:
        load.load(folder.path, "smoke")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("old", ["files: [a]", "kind: url", "url: 'https", "source: {"])
def test_misspelt_key_beside_a_password__does_not_show_it(folder, old):
    write_pool(folder, "https://user:hunter2@example.org/data")
    folder.replace("pools/mine.yaml", old, f"x{old}")
    with pytest.raises(InputError) as caught:
        load.load(folder.path, "smoke")
    assert "hunter2" not in str(caught.value)


def test_error__hides_credentials():
    error = InputError("http", "https://user:hunter2@example.org/data: HTTP status 404", path="a", key="b")
    assert "hunter2" not in str(error)
    assert "example.org" in str(error)
