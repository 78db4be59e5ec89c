"""lm-eval's tasks and results. The command line itself runs in the smoke experiment."""

import ast
from pathlib import Path

import lm_eval
import pytest
import yaml

from instruction_selection import config
from instruction_selection.errors import InputError
from instruction_selection.evaluation import harness

METRICS = [{"name": "acc", "label": "Accuracy"}]
RESULTS = {
    "results": {"logic": {"acc,none": 0.25, "acc_stderr,none": 0.1, "alias": "logic"}},
    "versions": {"logic": 1.0},
    "task_hashes": {"logic": "abc"},
}


def test_lm_eval_reads_the_task_and_asks_what_the_benchmark_says(repository, tmp_path):
    from lm_eval.tasks import TaskManager

    from instruction_selection import files

    row = {"id": "x", "task": "aiw", "instruction": "How many?", "response": "3"}
    files.write_jsonl(tmp_path / "rows.jsonl", [row])
    benchmark = config.read_entry(repository / "config", "benchmark", "logic")
    (tmp_path / "logic.yaml").write_text(harness.task("logic", benchmark["harness"], tmp_path / "rows.jsonl"))
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    loaded = manager.load(["logic"])["tasks"]["logic"]
    [document] = list(loaded.test_docs())
    assert loaded.doc_to_text(document) == "How many?"
    assert loaded.doc_to_target(document) == "3"


def test_a_benchmark_may_set_any_key_of_lm_eval():
    written = yaml.safe_load(harness.task("x", {"output_type": "generate_until", "num_fewshot": 3}, "rows.jsonl"))
    assert written["num_fewshot"] == 3
    assert written["task"] == "x"


@pytest.mark.parametrize(("rank", "room"), [(4, 8), (128, 128), (129, 256)])
def test_vllm_gets_a_lora_adapter_in_arguments_that_lm_eval_knows(tmp_path, rank, room):
    """lm-eval's class says which there are; vLLM itself is not here. Unknown ones would reach vLLM, which refuses."""
    (tmp_path / "adapter_config.json").write_text(f'{{"r": {rank}}}')
    arguments = harness.model_arguments("model", tmp_path, {"backend": "vllm", "dtype": "bfloat16"})
    source = ast.parse((Path(lm_eval.__file__).parent / "models/vllm_causallms.py").read_text())
    [made] = [node for node in ast.walk(source) if isinstance(node, ast.ClassDef) and node.name == "VLLM"]
    [init] = [node for node in made.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    assert arguments.keys() <= {argument.arg for argument in init.args.args}
    assert arguments["lora_local_path"] == str(tmp_path)
    assert arguments["max_lora_rank"] == room


def test_an_adapter_that_vllm_cannot_hold_is_refused(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"r": 1024}')
    with pytest.raises(InputError, match="rank 512 at most, and this has 1024"):
        harness.model_arguments("model", tmp_path, {"backend": "vllm", "dtype": "bfloat16"})


def test_results_are_taken_over():
    summary = harness.summarise("logic", RESULTS, [{}] * 16, METRICS, 16)
    assert summary["metrics"] == {"acc": {"value": 0.25, "stderr": 0.1}}
    assert summary["samples"] == 16


def test_missing_samples_are_refused():
    with pytest.raises(InputError, match="scored 15 of the 16 rows of logic"):
        harness.summarise("logic", RESULTS, [{}] * 15, METRICS, 16)


def test_a_metric_that_lm_eval_does_not_give_is_named():
    with pytest.raises(InputError, match="logic: lm-eval gave no metric 'f1'"):
        harness.summarise("logic", RESULTS, [{}] * 16, [{"name": "f1", "label": "F1"}], 16)


def test_a_metric_without_standard_error_has_none():
    results = {**RESULTS, "results": {"logic": {"acc,none": 0.25, "acc_stderr,none": "N/A"}}}
    assert harness.summarise("logic", results, [{}], METRICS, 1)["metrics"]["acc"]["stderr"] is None
