"""Rows that cannot be used: the run stops at the job that reads them, with the sentence on the console."""

import json
import shutil

import pytest
import yaml
from support.checkout import Checkout

GOOD = [{"q": f"Question {number}", "a": f"{number}"} for number in range(72)]


@pytest.fixture(scope="module")
def checkout(fresh, tmp_path_factory) -> Checkout:
    """The smoke experiment, but that it has its pool and its target from a folder."""
    checkout = Checkout(shutil.copytree(fresh.path, tmp_path_factory.mktemp("bad rows") / "checkout"))
    config = checkout.path / "config"

    def source(name: str) -> dict:
        place = {"kind": "folder", "folder": "data", "files": [name]}
        return {"source": place, "instruction": "{{q}}", "response": "{{a}}"}

    quiz = yaml.safe_load((config / "benchmarks/logic.yaml").read_text())
    quiz |= {"reader": None, "tasks": [], "validation": source("v.jsonl"), "evaluation": source("e.jsonl")}
    (config / "benchmarks/quiz.yaml").write_text(yaml.safe_dump(quiz))
    pool = {"label": "Mine", "summary": "Mine.", "rows": source("pool.jsonl")}
    (config / "pools/mine.yaml").write_text(yaml.safe_dump(pool))
    smoke = yaml.safe_load((config / "experiments/smoke.yaml").read_text())
    smoke |= {"pools": {"mine": {"rows": 72}}, "targets": {"quiz": {"validation_rows": 6, "evaluation_rows": 8}}}
    (config / "experiments/mine.yaml").write_text(yaml.safe_dump(smoke))
    for name in ("pool.jsonl", "v.jsonl", "e.jsonl"):
        write(checkout, name, GOOD)
    return checkout


def write(checkout: Checkout, name: str, rows: list[dict], after: str = "") -> None:
    path = checkout.path / "data" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + after)


@pytest.mark.parametrize(
    ("pool", "after", "expected"),
    [
        (GOOD, "{oops\n", "data/pool.jsonl: line 73: not JSON (Expecting property name"),
        (GOOD[:-1], "", "72 examples are requested, and there are 71"),
        (GOOD[:-1], '{"q": "x", "a": ""}\n', "72 examples are requested, and there are 71"),
        (
            GOOD[:-1],
            '{"q": "x"}\n',
            "data/pool.jsonl: record 71: the template 'response' does not fit this record ('a' is undefined).",
        ),
    ],
    ids=["broken line", "too few", "empty response", "missing field"],
)
def test_pool__is_rejected_in_one_sentence(checkout, pool, after, expected):
    write(checkout, "pool.jsonl", pool, after)
    stopped(checkout, "results/mine/pools/mine/pool.jsonl", expected)


def test_pool__cut_after_it_was_sampled_is_rejected(checkout):
    """Before anything is trained on it."""
    write(checkout, "pool.jsonl", GOOD)
    pool = checkout.path / "results/mine/pools/mine/pool.jsonl"
    done = checkout.snakemake("--", str(pool.relative_to(checkout.path)), experiment="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    pool.write_bytes(b"".join(pool.read_bytes().splitlines(keepends=True)[:-1]))
    stopped(
        checkout,
        "results/mine/warmup/tiny-llama/mine/rows.jsonl",
        "results/mine/pools/mine/pool.jsonl: has 71 rows, and is not the file of 72 rows that",
    )
    pool.unlink()


def test_evaluation_rows__among_the_validation_rows_are_rejected(checkout):
    write(checkout, "pool.jsonl", GOOD)
    write(checkout, "v.jsonl", [{"q": f"V {number}", "a": "1"} for number in range(6)])
    write(checkout, "e.jsonl", [{"q": f"v  {number}", "a": "1"} for number in range(5, 13)])
    expected = "has the same instruction as evaluation example"
    stopped(
        checkout, "results/mine/targets/quiz/overlap/mine.json", expected, "targets/quiz/validation.jsonl: example "
    )


def test_pool__whose_file_is_missing_is_named(checkout):
    (checkout.path / "data/pool.jsonl").unlink()
    stopped(
        checkout,
        "results/mine/config.resolved.yaml",
        "config/pools/mine.yaml: data: this folder has no file pool.jsonl.",
    )


def stopped(checkout: Checkout, target: str, *expected: str) -> None:
    result = checkout.snakemake("--", target, experiment="mine")
    output = result.stdout + result.stderr
    assert result.returncode != 0
    for part in expected:
        assert part in output
    assert "Traceback" not in output
    assert not (checkout.path / target).exists()
