"""`snakemake select`: from a pool, some wanted rows and a model on disk to chosen rows, by copies of the templates."""

import json
import re
import shutil
import subprocess
import sys

import pyarrow.parquet
import pytest
import yaml
from datasets import load_dataset
from support.checkout import Checkout

from instruction_selection.selection import scores
from instruction_selection.training import llamafactory

SIZES = {"[0.05]": "[0.1, 6]"}
METHODS = ["random", "sbert", "less", "g2is"]


@pytest.fixture(scope="module")
def own(fresh, tiny_model, tmp_path_factory) -> Checkout:
    """A checkout with the templates copied and filled in. Nothing has been run in it."""
    checkout = Checkout(shutil.copytree(fresh.path, tmp_path_factory.mktemp("own") / "checkout"))
    for kind in ("experiments", "pools", "benchmarks", "models"):
        text = (checkout.path / f"config/{kind}/own.yaml").read_text()
        (checkout.path / f"config/{kind}/mine.yaml").write_text(
            re.sub(r"\bown:", "mine:", text).replace("[own]", "[mine]")
        )
    for old, new in SIZES.items():
        checkout.edit("config/experiments/mine.yaml", old, new)
    checkout.edit("config/experiments/mine.yaml", "rows: 100\n  training:", "rows: 8\n  training:\n    lora_rank: 4")
    checkout.edit("config/experiments/mine.yaml", "shards: 2", "shards: 1\n  projection: {dimension: 256}")
    checkout.edit("config/models/mine.yaml", "template: alpaca_bos", "template: smollm_eot")
    data = checkout.path / "data/own"
    data.mkdir(parents=True)
    pool = [
        {"instruction": f"What is {n} plus {n % 7}?", "response": f"It is {n + n % 7}.", "source": {"page": n}}
        for n in range(40)
    ]
    wanted = [{"instruction": f"What is {n} plus 1?", "response": f"It is {n + 1}."} for n in (101, 102, 103, 104)]
    (data / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pool))
    (data / "wanted.jsonl").write_text("".join(json.dumps(row) + "\n" for row in wanted))
    shutil.copytree(tiny_model, data / "model")
    return checkout


def test_select__plans_no_training_on_selections_and_no_evaluation(own):
    planned = own.planned("mine", "select")
    assert planned["select_rows"] == planned["selection_page"] == 2 * len(METHODS)
    assert not planned.keys() & {"finetune", "evaluate", "harness_tasks", "check_overlap", "table", "report"}


def test_whole_run__of_a_target_without_evaluation_is_rejected(own):
    for targets in ((), ("--", "results/mine/tables/mine.md")):
        result = own.snakemake("--dry-run", *targets, experiment="mine")
        output = result.stdout + result.stderr
        assert result.returncode != 0
        assert "does not evaluate mine" in output, output


def test_select__ends_with_the_files(own, tmp_path):
    result = own.snakemake("--", "select", experiment="mine")
    assert result.returncode == 0, result.stdout + result.stderr
    named = re.findall(r"^(results/mine/runs/\S+/selected\.jsonl): (\d+) rows$", result.stdout, re.MULTILINE)
    assert len(named) == 2 * len(METHODS)
    pages = re.findall(r"^(\S+/)selection\.html: why these rows$", result.stdout, re.MULTILINE)
    assert [path.removesuffix("selected.jsonl") for path, _ in named] == pages
    pool = {json.loads(line)["id"]: line for line in (own.path / "results/mine/pools/mine/pool.jsonl").open()}
    for path, rows in named:
        chosen = (own.path / path).read_text().splitlines(keepends=True)
        assert len(chosen) == int(rows) <= (6 if "/6/" in path else 4)
        assert all(pool[json.loads(line)["id"]] == line for line in chosen)
        # Original columns as a data set, and a line for every row of the pool in the order of the pool.
        data = load_dataset("json", data_files=str(own.path / path), split="train", cache_dir=str(tmp_path))
        assert [row["source"] for row in data["record"]] == [json.loads(line)["record"]["source"] for line in chosen]
        table = pyarrow.parquet.read_table((own.path / path).parent / "scores.parquet").to_pylist()
        assert [row["id"] for row in table] == list(pool)
        steps = {row["step"]: row["id"] for row in table if row["step"]}
        assert [steps[step] for step in sorted(steps)] == [json.loads(line)["id"] for line in chosen]


def test_page__shows_the_chosen_rows_and_links_to_the_other_methods(own):
    runs = own.path / "results/mine/runs"
    page = (runs / "mine/mine/mine/less/0.1/seed0/selection.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    chosen = [json.loads(line)["id"] for line in (runs / "mine/mine/mine/less/0.1/seed0/selected.jsonl").open()]
    assert [row["id"] for row in data["rows"] if row["step"]] == chosen
    assert len(data["rows"]) == 40
    assert len(data["map"]["points"]) == 40 + 4
    links = [runs / "mine/mine/mine/less/0.1/seed0" / link for link in re.findall(r'href="([^"]+)"', page)]
    assert len(links) == 2 * len(METHODS) - 1
    assert all(link.is_file() for link in links)


def test_selection__is_trained_on_by_its_name(own, tmp_path):
    """By LLaMA-Factory, with what its documentation says of a data set: the name, and the folder it is in."""
    run = own.path / "results/mine/runs/mine/mine/mine/less/6/seed0"
    arguments = {
        **{"stage": "sft", "do_train": True, "finetuning_type": "lora", "lora_target": "all", "lora_rank": 2},
        **{"model_name_or_path": str(own.path / "results/mine/models/mine"), "template": "smollm_eot"},
        **{"dataset": "selected", "dataset_dir": str(run), "cutoff_len": 128, "output_dir": str(tmp_path / "output")},
        **{"num_train_epochs": 1, "per_device_train_batch_size": 1, "logging_steps": 1, "report_to": "none"},
    }
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(arguments))
    # Not its own command, which needs torchaudio.
    result = subprocess.run(
        [sys.executable, llamafactory.CLI, tmp_path / "train.yaml"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads((tmp_path / "output/trainer_state.json").read_text())["global_step"] == 6
    assert (tmp_path / "output/adapter_model.safetensors").is_file()


def test_scores__give_the_selection_of_another_budget(own):
    runs = own.path / "results/mine/runs/mine/mine/mine/less"
    chosen = [json.loads(line)["id"] for line in (runs / "6/seed0/selected.jsonl").open()]
    assert scores.best(runs / "0.1/seed0/scores.parquet", 6) == chosen
