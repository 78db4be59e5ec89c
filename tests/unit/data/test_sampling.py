"""Sampling from Reasoning Gym: seeded, distinct, and disjoint between splits."""

from pathlib import Path

import pytest
from support.rejections import rejected

from instruction_selection.core import example, files
from instruction_selection.data import overlap, sampling
from instruction_selection.data.readers import reasoning_gym

TASKS = ["chain_sum", "syllogism", "aiw"]


def sampled(split="pool", count=50, seed=0):
    return sampling.sample("reasoning-gym", TASKS, split, count, seed)


def test_same_seed__gives_the_same_rows_and_another_seed_others():
    assert sampled(seed=1) == sampled(seed=1)
    shared = {row["id"] for row in sampled(seed=1)} & {row["id"] for row in sampled(seed=2)}
    assert len(shared) < 10


def test_task__gets_its_share_and_every_row_is_different():
    drawn = sampled(count=50)
    assert example.counts(drawn) == {"aiw": 16, "chain_sum": 17, "syllogism": 17}
    assert len({row["id"] for row in drawn}) == len({row["instruction"] for row in drawn}) == 50


def test_splits__share_no_instruction_for_any_seeds():
    splits = {split: set() for split in reasoning_gym.SPLITS}
    for split, found in splits.items():
        for seed in range(4):
            found |= {row["instruction"] for row in sampled(split, 60, seed)}
    pool, validation, evaluation = splits.values()
    assert not pool & validation
    assert not pool & evaluation
    assert not validation & evaluation


def test_id__is_the_content():
    row = {"task": "t", "instruction": "i", "response": "r"}
    assert example.row_id(row) == example.row_id(dict(row))
    assert len({example.row_id({**row, key: "x"}) for key in row} | {example.row_id(row)}) == 4


@pytest.fixture
def shared(tmp_path):
    """A benchmark of files, a manifest, and 60 rows from which both splits are drawn."""
    rows = [{"q": f"What is {number} + 1?", "a": str(number + 1)} for number in range(60)]
    files.write_jsonl(tmp_path / "rows.jsonl", rows)
    manifest = tmp_path / "manifests" / "benchmark" / "b.json"
    fetched = {"files": {"rows.jsonl": files.sha256(tmp_path / "rows.jsonl")}}
    files.write_json(manifest, {"validation": fetched, "evaluation": fetched})
    block = {"member": None, "columns": None, "key": None, "source": {"kind": "folder"}, "draw": "uniform"}
    block |= {"task": "sum", "instruction": "{{q}}", "response": "{{a}}", "overlap_text": None}
    block |= {"control_tokens": "leave_out", "keep": []}
    return {"reader": None, "validation": block, "evaluation": block, "shared_source": True}, manifest


COUNTS = {"validation": 20, "evaluation": 30}


def test_of_benchmark__a_draw_keeps_the_evaluation_rows_and_draws_validation_rows_from_the_rest(shared):
    own = sampling.of_benchmark(*shared, COUNTS, seed=0)
    drawn = [sampling.of_benchmark(*shared, COUNTS, seed, evaluation_seed=0) for seed in (1000, 2000, 1000)]
    evaluated = {row["id"] for row in own["evaluation"]}
    for each in drawn:
        assert each["evaluation"] == own["evaluation"]
        assert len({row["id"] for row in each["validation"]}) == 20
        assert not {row["id"] for row in each["validation"]} & evaluated
        assert all("record" not in row for row in each["validation"])
    assert drawn[0] == drawn[2]
    assert drawn[0]["validation"] != drawn[1]["validation"]


def test_of_benchmark__a_draw_needs_as_many_rows_as_the_experiment(shared):
    assert sampling.of_benchmark(*shared, {"validation": 30, "evaluation": 30}, 1000, evaluation_seed=0)
    with rejected("too-few-examples"):
        sampling.of_benchmark(*shared, {"validation": 31, "evaluation": 30}, 1000, evaluation_seed=0)


def test_of_benchmark__a_reader_draws_the_splits_by_their_own_seeds():
    benchmark = {"reader": "reasoning-gym", "tasks": TASKS, "shared_source": False}
    own = sampling.of_benchmark(benchmark, None, COUNTS, seed=0)
    drawn = sampling.of_benchmark(benchmark, None, COUNTS, seed=1000, evaluation_seed=0)
    assert drawn["evaluation"] == own["evaluation"]
    assert drawn["validation"] == sampling.of_benchmark(benchmark, None, COUNTS, seed=1000)["validation"]


def test_of_warmup__is_a_seeded_sample_without_replacement_in_random_order(tmp_path):
    path = tmp_path / "pool.jsonl"
    pool = sampled(count=30)
    files.write_jsonl(path, pool)
    drawn = list(sampling.of_warmup(path, 10, seed=1))
    assert drawn == list(sampling.of_warmup(path, 10, seed=1)) != list(sampling.of_warmup(path, 10, seed=2))
    places = [pool.index(row) for row in drawn]
    assert len(set(places)) == 10
    assert places != sorted(places)
    assert sorted(row["id"] for row in sampling.of_warmup(path, 30, seed=0)) == sorted(row["id"] for row in pool)


def test_of_warmup__more_examples_than_the_pool_has_are_rejected(tmp_path):
    files.write_jsonl(tmp_path / "pool.jsonl", sampled(count=3))
    with rejected("too-few-examples", path="pool.jsonl", key="warmup.rows"):
        sampling.of_warmup(tmp_path / "pool.jsonl", 4, seed=0)


def test_unknown_generator__is_named():
    with rejected("unknown-generator", key="tasks"):
        reasoning_gym.read("chain_summ", "pool", 1, 0)


def test_generator__that_is_too_small_is_named():
    with rejected("generator-too-small", key="tasks"):
        reasoning_gym.read("coin_flip", "pool", 500, 0)


def test_overlap__ignores_case_and_white_space():
    evaluation = [{"id": "e", "instruction": "What is  2 + 2?"}]
    found = overlap.find(evaluation, {"pool.jsonl": [{"id": "p", "instruction": "what is 2\n+ 2?"}]})
    assert found == {"pool.jsonl": [("p", "e")]}
    with rejected("overlap", path="pool.jsonl", key="example p"):
        overlap.reject(found)
    other = overlap.find(evaluation, {"pool.jsonl": [{"id": "p", "instruction": "What is 2 + 3?"}]})
    assert other == {"pool.jsonl": []}
    overlap.reject(other)


LAYOUT = {"draw": "by_task", "control_tokens": "drop", "task": "all", "instruction": "{{q}}", "response": "{{a}}"}


@pytest.fixture
def own(tmp_path):
    """A function of answers: a pool's and a benchmark's entry with these in a file, and the manifest of both."""

    def write(answers: list[str]) -> tuple[dict, Path]:
        path = tmp_path / "hub/own.jsonl"
        path.parent.mkdir()
        files.write_jsonl(path, [{"q": f"{n}?", "a": answer} for n, answer in enumerate(answers)])
        fetched = {"files": {"own.jsonl": files.sha256(path)}}
        manifest = tmp_path / "hub/manifests/pool/own.json"
        files.write_json(manifest, {"rows": fetched, "validation": fetched})
        block = {**LAYOUT, "keep": [], "source": {"kind": "folder"}}
        return {"reader": None, "rows": block, "validation": block, "shared_source": False}, manifest

    return write


def test_all__are_those_that_can_be_used_in_the_order_of_the_file(own):
    entry, manifest = own(["a", "", "b", "<|im_end|>", "c"])
    assert [row["response"] for row in sampling.of_pool(entry, manifest, None, 0)] == ["a", "b", "c"]
    drawn = sampling.of_benchmark(entry, manifest, {"validation": None}, 0)["validation"]
    assert [row["response"] for row in drawn] == ["a", "b", "c"]


@pytest.mark.parametrize("answers", [[], ["", " "]])
def test_all__of_none_is_rejected(own, answers):
    entry, manifest = own(answers)
    with rejected("too-few-examples", path="own.jsonl", key="pools.mine.rows"):
        list(sampling.of_pool(entry, manifest, None, 0, name="mine"))
    with rejected("too-few-examples", path="own.jsonl", key="targets.mine.validation_rows"):
        sampling.of_benchmark(entry, manifest, {"validation": None}, 0, name="mine")


def test_count__above_what_there_is_names_pool_file_and_what_was_left_out(own):
    entry, manifest = own([*"abc", ""])
    with rejected("too-few-examples", path="own.jsonl", key="pools.mine.rows") as caught:
        list(sampling.of_pool(entry, manifest, 4, 0, name="mine"))
    assert "there are 3 (left out: 1 empty_response (own.jsonl: record 3))" in str(caught.value)
