"""lm-eval's tasks and results. The command line itself runs in the smoke experiment."""

import ast
import re
from pathlib import Path

import lm_eval
import pytest
import yaml
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.evaluation import harness
from instruction_selection.experiment import load, program_names
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.models import summary


def benchmark(**metric) -> dict:
    metric = {"name": "acc", "task": "likelihood", "metric": None, "filter": "none", "label": "Accuracy", **metric}
    return {"harness": {"likelihood": {}}, "metrics": [metric]}


def results(**values) -> dict:
    return {
        "results": {"logic-likelihood": {"acc,none": 0.25, "acc_stderr,none": 0.1, "alias": "logic", **values}},
        "group_subtasks": {},
        "versions": {"logic-likelihood": 1.0},
        "task_hashes": {"logic-likelihood": "abc"},
    }


def prepared(folder: Path) -> Path:
    files.write_json(folder / summary.NAME, {"row_form": {"bos": True, "end_of_turn": [2]}})
    return folder


def samples(count: int, task: str = "likelihood") -> list[dict]:
    return [{"id": str(number), "task": task, "filter": "none"} for number in range(count)]


def test_lm_eval__reads_the_tasks_and_asks_what_the_benchmark_says(repository, tmp_path):
    from lm_eval.tasks import TaskManager

    # Neither is a template, nor a list in Python.
    row = {"id": "x", "task": "aiw", "instruction": "How {{many}}?", "response": "[3]"}
    logic = load.read_entry(repository / "config", Benchmark, "logic").plain()
    harness.write_tasks("logic", logic, [row], [], tmp_path)
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    loaded = manager.load(["logic-answer"])["tasks"]["logic-answer"]
    [document] = list(loaded.test_docs())
    assert loaded.doc_to_text(document) == "How {{many}}?"
    assert loaded.doc_to_target(document) == "[3]"


def test_benchmark__may_set_any_key_of_lm_eval(tmp_path):
    keys = {"output_type": "generate_until", "num_fewshot": 3}
    harness.write_tasks("x", {"harness": {"generation": keys}, "metrics": []}, [], [], tmp_path)
    written = yaml.safe_load((tmp_path / "x-generation.yaml").read_text())
    assert written["num_fewshot"] == 3
    assert written["task"] == "x-generation"


def test_included_task__has_no_end_of_turn(tmp_path):
    keys = {"include": "x.yaml", "output_type": "loglikelihood", "end_of_turn": True}
    with rejected("end-of-turn-included", key="x-t.end_of_turn"):
        harness.write_tasks("x", {"harness": {"t": keys}, "metrics": []}, [], [], tmp_path)


def test_included_task__has_a_file(tmp_path):
    with rejected("not-in-package"):
        harness.write_tasks("x", {"harness": {"t": {"include": "gsm9k.yaml"}}, "metrics": []}, [], [], tmp_path)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_choices__are_compared_in_float32_whatever_the_models_precision(tmp_path, dtype):
    """By the name that lm-eval's own model has for it; one that it does not know would be passed to transformers."""
    arguments = harness.model_arguments(prepared(tmp_path), None, {"backend": "hf", "dtype": dtype})
    assert arguments["dtype"] == dtype
    assert arguments["softmax_dtype"] == "float32"
    source = ast.parse((Path(lm_eval.__file__).parent / "models/huggingface.py").read_text())
    [model] = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == "HFLM"]
    [start] = [node for node in model.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    assert arguments.keys() <= {argument.arg for argument in start.args.args + start.args.kwonlyargs}


@pytest.mark.parametrize(("rank", "room"), [(4, 8), (128, 128), (129, 256)])
def test_vllm__gets_a_lora_adapter_in_arguments_that_lm_eval_knows(tmp_path, rank, room):
    """lm-eval's class says which there are; vLLM itself is not here. Unknown ones would reach vLLM, which rejects."""
    (tmp_path / "adapter_config.json").write_text(f'{{"r": {rank}}}')
    arguments = harness.model_arguments(prepared(tmp_path), tmp_path, {"backend": "vllm", "dtype": "bfloat16"})
    source = ast.parse((Path(lm_eval.__file__).parent / "models/vllm_causallms.py").read_text())
    [made] = [node for node in ast.walk(source) if isinstance(node, ast.ClassDef) and node.name == "VLLM"]
    [init] = [node for node in made.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    assert arguments.keys() <= {argument.arg for argument in init.args.args}
    assert arguments["lora_local_path"] == str(tmp_path)
    assert arguments["max_lora_rank"] == room
    assert arguments["add_bos_token"] is True


def test_vllm__has_every_argument_of_its_engine_that_lm_eval_gives_it(repository):
    """In the pinned release, whose names `make reference` wrote where it was installed."""
    known = program_names.names()["vllm"]
    pinned = re.search(r"vllm==(\S+)", (repository / "envs/evaluation-vllm.yaml").read_text())[1]
    source = ast.parse((Path(lm_eval.__file__).parent / "models/vllm_causallms.py").read_text())
    [given] = [
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "self.model_args"
    ]
    assert {key.value for key in given.keys} <= set(known["engine_arguments"])
    assert list(harness.VLLM_RANKS) == known["lora_ranks"]
    assert known["version"] == pinned


def test_vllm__that_is_not_installed_is_rejected_before_the_start(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(harness.importlib.util, "find_spec", lambda name: None)
    settings = {"backend": "vllm", "dtype": "bfloat16", "batch_size": 1, "chat_template": False}
    with rejected("no-vllm", key="evaluation.backend"):
        harness.evaluate("x", {"harness": {}, "metrics": []}, tmp_path, tiny_model, None, settings)


def test_adapter__that_vllm_cannot_hold_is_rejected(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"r": 1024}')
    with rejected("rank-too-large", path=tmp_path, key="r"):
        harness.model_arguments(prepared(tmp_path), tmp_path, {"backend": "vllm", "dtype": "bfloat16"})


def test_results__are_taken_from_lm_eval():
    summary = harness.summarise("logic", benchmark(), results(), samples(16), 16)
    assert summary["metrics"] == {"acc": {"value": 0.25, "stderr": 0.1}}
    assert summary["samples"] == 16


def test_metric__may_have_its_own_name_and_a_filter():
    given = samples(4) + [{**sample, "filter": "number"} for sample in samples(4)]
    named = benchmark(name="right", metric="exact_match", filter="number")
    summary = harness.summarise(
        "logic", named, results(**{"exact_match,number": 0.5, "exact_match_stderr,number": 0.2}), given, 4
    )
    assert summary["metrics"] == {"right": {"value": 0.5, "stderr": 0.2}}


@pytest.mark.parametrize("given", [samples(15), samples(15) + samples(1, "generation")])
def test_missing_samples__are_rejected(given):
    with rejected("samples-missing", key="logic"):
        harness.summarise("logic", benchmark(), results(), given, 16)


def test_metric__that_lm_eval_does_not_give_is_named():
    with rejected("metric-missing", key="logic"):
        harness.summarise("logic", benchmark(name="f1"), results(), samples(16), 16)


def test_metric__without_standard_error_has_none():
    summary = harness.summarise("logic", benchmark(), results(**{"acc_stderr,none": "N/A"}), samples(1), 1)
    assert summary["metrics"]["acc"]["stderr"] is None
