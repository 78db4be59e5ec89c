"""Every benchmark of the paper, scored by the real lm-eval with a tiny model: prompts, answers, subtasks, means."""

import json
import statistics

import pytest

from instruction_selection.data import hub, sampling
from instruction_selection.evaluation import harness

#: Rows of the small mirror that are asked; BIG-Bench Hard and MMLU have them in two subtasks.
ASKED = {"bbh": 8, "gpqa": 7, "gsm8k": 6, "math": 7, "mmlu": 12}
SUBTASKS = {"bbh": ["snarks", "web_of_lies"], "mmlu": ["anatomy", "virology"]}
#: So that a model that knows nothing is soon done.
SHORT = {"until": [], "do_sample": False, "max_gen_toks": 4}


@pytest.fixture(scope="module")
def scored(small_mirror, tmp_path_factory, tiny_model, repository):
    """All benchmarks as one, because most of the time goes into starting lm-eval: (that one, results, samples)."""
    from instruction_selection.experiment import load
    from instruction_selection.experiment.benchmark import Benchmark

    folder = tmp_path_factory.mktemp("harness")
    everything = {"harness": {}, "metrics": []}
    for name, count in ASKED.items():
        entry = load.read_entry(repository / "config", Benchmark, name)
        benchmark = entry.plain()
        manifest = folder / "cache" / "manifests" / "benchmark" / f"{name}.json"
        hub.fetch({key: source.plain() for key, source in entry.sources().items()}, manifest, small_mirror)
        total = {"bbh": 108}.get(name, count)
        drawn = sampling.of_benchmark(benchmark, manifest, {"validation": 3, "evaluation": total}, 0)["evaluation"]
        asked = [row for row in drawn if row["task"] in SUBTASKS.get(name, [row["task"]])]
        fewshot = benchmark["fewshot"]
        examples = sampling.every(fewshot, hub.paths(fewshot["source"], manifest, "fewshot")) if fewshot else []
        [keys] = benchmark["harness"].values()
        generates = name in ("bbh", "gsm8k", "math")
        part = {
            "harness": {name: {**keys, **({"generation_kwargs": SHORT} if generates else {})}},
            "metrics": [
                {**metric, "name": f"{name}_{metric['name']}", "metric": metric["name"], "task": name}
                for metric in benchmark["metrics"]
            ],
        }
        harness.write_tasks("paper", part, asked, examples, folder / "tasks")
        everything["harness"] |= part["harness"]
        everything["metrics"] += part["metrics"]
    settings = {"backend": "hf", "dtype": "float32", "batch_size": 8, "chat_template": False}
    return everything, *harness.evaluate("paper", everything, folder / "tasks", tiny_model, None, settings)


@pytest.mark.parametrize("name", ASKED)
def test_row__is_scored_under_its_id(scored, name):
    benchmark, _, samples = scored
    [filtered, *_] = [metric["filter"] for metric in benchmark["metrics"] if metric["task"] == name]
    found = [sample["id"] for sample in samples if sample["task"] == name and sample["filter"] == filtered]
    assert len(found) == len(set(found)) == ASKED[name]


def test_scores__are_means_over_samples(scored):
    benchmark, results, samples = scored
    for metric in benchmark["metrics"]:
        part = [sample for sample in samples if sample["task"] == metric["task"]]
        part = [sample for sample in part if sample["filter"] == metric["filter"]]
        alone = {"harness": {metric["task"]: {}}, "metrics": [metric]}
        summary = harness.summarise("paper", alone, results, part, len(part))
        mean = statistics.mean(float(sample[metric["metric"]]) for sample in part)
        assert summary["metrics"][metric["name"]]["value"] == pytest.approx(mean)


def prompt(samples: list[dict], name: str) -> str:
    sample = next(sample for sample in samples if sample["task"] == name)
    return json.loads(json.dumps(sample["arguments"]))["gen_args_0"]["arg_0"]


@pytest.mark.parametrize(
    ("name", "examples", "mark"),
    [("bbh", 3, "A: Let's think step by step."), ("gsm8k", 5, "Question:"), ("math", 4, "Problem:")],
)
def test_prompts__have_the_examples_that_they_should(scored, name, examples, mark):
    assert prompt(scored[2], name).count(mark) == examples + 1


@pytest.mark.parametrize("name", ["gpqa", "mmlu"])
def test_choices__are_asked_without_examples(scored, name):
    assert prompt(scored[2], name).count("Answer:") == 1


def test_gpqa__has_no_validation_row_in_its_evaluation(scored):
    assert sum(sample["task"] == "gpqa" for sample in scored[2]) == 10 - 3
