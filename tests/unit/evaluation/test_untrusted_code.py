"""lm-eval runs nothing that a model writes, and rows name no files."""

import subprocess
from pathlib import Path

import pytest
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.core.packages import path_in_package
from instruction_selection.evaluation import harness
from instruction_selection.models import checksummed_folder, summary
from instruction_selection.training import llamafactory

INJECTION = "$(touch pwned); `touch pwned` '\" \n touch pwned"
SETTINGS = {"backend": "hf", "batch_size": 1, "dtype": "float32", "chat_template": True}


@pytest.fixture
def started(monkeypatch) -> list:
    """(command, keyword arguments) of processes, none of which is started."""
    calls = []

    def run(command, **arguments):
        calls.append((command, arguments))
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


@pytest.fixture
def model(tmp_path) -> Path:
    folder = tmp_path / INJECTION.replace("/", "")
    with checksummed_folder.create(folder) as partial:
        files.write_json(partial / summary.NAME, {"row_form": {"bos": False, "end_of_turn": [2]}})
    return folder


def test_environment__cannot_permit_code(started, monkeypatch, model):
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    with rejected("failed"):
        harness.evaluate("b", {"harness": {"t": {}}}, "tasks", model, None, SETTINGS)
    [(command, arguments)] = started
    assert arguments["env"]["HF_ALLOW_CODE_EVAL"] == "0"
    assert not [part for part in command if "unsafe" in part or "trust_remote_code" in part]


def test_lm_eval__is_started_without_a_shell(started, model):
    # Not `rejected`, because the sentence has the line break of the injected name.
    with pytest.raises(InputError):
        harness.evaluate("b", {"harness": {"t": {}}}, INJECTION, model, None, SETTINGS)
    [(command, arguments)] = started
    assert isinstance(command, list)
    assert INJECTION in command
    assert not arguments.get("shell")


def test_llama_factory__is_started_without_a_shell_and_reads_a_file(started, tmp_path, model):
    files.write_jsonl(tmp_path / "rows.jsonl", [{"id": "1", "instruction": "q", "response": "a"}])
    arguments = {"run_name": INJECTION, "effective_batch": 1, "per_device_train_batch_size": 1}
    with rejected("failed"):
        llamafactory.train(tmp_path / "rows.jsonl", model, INJECTION, 8, arguments, 0, tmp_path / "t")
    [(command, keywords)] = started
    assert isinstance(command, list)
    assert not [part for part in command if "pwned" in part]
    assert not keywords.get("shell")


@pytest.mark.parametrize("subtask", ["../evil", "/etc/x", "a/b", ".hidden", "a,b", "", "a\n", "$(id)", "{x}"])
def test_subtask__name_that_is_a_path_is_rejected(tmp_path, subtask):
    benchmark = {"harness": {"t": {"include": "bbh/cot_fewshot/{task}.yaml"}}, "metrics": []}
    rows = [{"id": "1", "task": subtask, "instruction": "q", "response": "a"}]
    with rejected("subtask-name", key="b"):
        harness.write_tasks("b", benchmark, rows, [], tmp_path / "tasks")
    assert list(tmp_path.iterdir()) == []


def test_lm_eval__marks_its_tasks_that_run_code():
    """It asks for a flag before it runs those, which is not given."""
    tasks = path_in_package("lm_eval", "tasks")
    scored_by_running = {
        path.relative_to(tasks).parts[0]
        for path in Path(tasks).rglob("*.py")
        if "code_eval" in (text := path.read_text(encoding="utf-8")) or "unsafe_execute" in text
    }
    assert {"humaneval", "mbpp", "cruxeval"} <= scored_by_running
    for name in scored_by_running:
        assert any(
            "unsafe_code: true" in path.read_text()
            for path in (tasks / name).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        )
