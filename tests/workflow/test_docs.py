"""The pages that say how to add something are followed literally."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from support.checkout import Checkout

#: "..., `path`:" and the block after it.
A_FILE = re.compile(r"`([\w./-]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)


def follow(page: Path, checkout: Checkout) -> list[str]:
    """Write the files that a page shows; their paths."""
    found = A_FILE.findall(page.read_text())
    for path, content in found:
        assert not (checkout.path / path).exists(), f"{path} is there already"
        (checkout.path / path).parent.mkdir(exist_ok=True)
        (checkout.path / path).write_text(content)
    return [path for path, _ in found]


def test_method__is_added_as_the_page_says(copy, repository):
    written = follow(repository / "docs/add-a-method.md", copy)
    assert written[:2] == ["workflow/instruction_selection/methods/closest.py", "config/methods/closest.yaml"]
    copy.edit("config/experiments/smoke.yaml", "methods: [base,", "methods: [closest, base,")
    planned = copy.planned()
    assert planned["select_rows"] == planned["finetune"] == planned["evaluate"] == 2
    assert "pool_gradients" not in planned

    run = "results/smoke/runs/tiny-llama/reasoning/logic/closest/0.1/seed0"
    result = copy.snakemake("--", f"{run}/selected.jsonl")
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads((copy.path / run / "selection.json").read_text())["selected"] == 7

    contract = [sys.executable, "-m", "pytest", "-q", "tests/contract", "-k", "closest", "-p", "no:cacheprovider"]
    result = subprocess.run(contract, cwd=copy.path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) > 10


def test_benchmark__is_added_as_the_page_says(copy, repository):
    page = repository / "docs/add-a-benchmark.md"
    assert follow(page, copy)[:2] == ["data/capitals.jsonl", "config/benchmarks/capitals.yaml"]
    entry = re.search(r"`(capitals: \{.*?\})`", page.read_text())[1]
    copy.edit("config/experiments/smoke.yaml", "targets:\n", f"targets:\n  {entry}\n")
    evaluation = "results/smoke/runs/tiny-llama/any/any/base/0/seed0/eval/capitals.json"
    result = copy.snakemake("--", evaluation)
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads((copy.path / evaluation).read_text())["samples"] == 3
    rows = [
        (copy.path / f"results/smoke/targets/capitals/{name}.jsonl").open() for name in ("validation", "evaluation")
    ]
    asked = [{json.loads(line)["instruction"] for line in file} for file in rows]
    assert len(asked[0]) == len(asked[1]) == 3
    assert not asked[0] & asked[1]

    # Editing one's own rows does again what depends on them.
    assert copy.planned("smoke", "--", evaluation) == {}
    copy.edit("data/capitals.jsonl", "Oslo", "Bergen")
    again = copy.planned("smoke", "--", evaluation)
    assert again["fetch"] == again["sample_target"] == again["evaluate"] == 1


def test_benchmark__of_multiple_choice_is_added_as_the_page_says(fresh, repository, tmp_path):
    checkout = Checkout(shutil.copytree(fresh.path, tmp_path / "checkout"))
    written = follow(repository / "docs/add-a-benchmark.md", checkout)
    assert written[2:] == ["data/planets.jsonl", "config/benchmarks/planets.yaml"]
    entry = "planets: {validation_rows: 2, evaluation_rows: 2}"
    checkout.edit("config/experiments/smoke.yaml", "targets:\n", f"targets:\n  {entry}\n")
    evaluation = "results/smoke/runs/tiny-llama/any/any/base/0/seed0/eval/planets"
    result = checkout.snakemake("--", f"{evaluation}.json")
    assert result.returncode == 0, result.stdout + result.stderr
    metric = json.loads((checkout.path / f"{evaluation}.json").read_text())["metrics"]["accuracy"]
    samples = [json.loads(line) for line in (checkout.path / f"{evaluation}.samples.jsonl").open()]
    assert len(samples) == 2
    assert metric["value"] == 100 * sum(sample["acc"] for sample in samples) / 2
