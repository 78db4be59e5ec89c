"""lm-eval's tasks and results. The command line itself runs in the smoke experiment."""

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
