"""Sampling from Reasoning Gym: seeded, distinct, and disjoint between splits."""

import pytest

from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.data import example, overlap, sampling
from instruction_selection.data.readers import reasoning_gym

TASKS = ["chain_sum", "syllogism", "aiw"]


def sampled(split="pool", count=50, seed=0):
    return sampling.sample("reasoning-gym", TASKS, split, count, seed)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    assert sampled(seed=1) == sampled(seed=1)
    shared = {row["id"] for row in sampled(seed=1)} & {row["id"] for row in sampled(seed=2)}
    assert len(shared) < 10


def test_every_task_gets_its_share_and_every_row_is_different():
    drawn = sampled(count=50)
    assert example.counts(drawn) == {"aiw": 16, "chain_sum": 17, "syllogism": 17}
    assert len({row["id"] for row in drawn}) == len({row["instruction"] for row in drawn}) == 50


def test_splits_share_no_instruction_whatever_the_seeds():
    splits = {split: set() for split in reasoning_gym.SPLITS}
    for split, seen in splits.items():
        for seed in range(4):
            seen |= {row["instruction"] for row in sampled(split, 60, seed)}
    pool, validation, evaluation = splits.values()
    assert not pool & validation
    assert not pool & evaluation
    assert not validation & evaluation


def test_an_id_is_the_content():
    row = {"task": "t", "instruction": "i", "response": "r"}
    assert example.row_id(row) == example.row_id(dict(row))
    assert len({example.row_id({**row, key: "x"}) for key in row} | {example.row_id(row)}) == 4


def test_an_unknown_generator_is_named():
    with pytest.raises(InputError, match="no generator 'chain_summ'"):
        reasoning_gym.read("chain_summ", "pool", 1, 0)


def test_a_generator_that_is_too_small_is_named():
    with pytest.raises(InputError, match="'coin_flip' gave .* different pool rows where 500 are wanted"):
        reasoning_gym.read("coin_flip", "pool", 500, 0)


def test_overlap_sees_through_case_and_white_space():
    evaluation = [{"id": "e", "instruction": "What is  2 + 2?"}]
    found = overlap.find(evaluation, {"pool.jsonl": [{"id": "p", "instruction": "what is 2\n+ 2?"}]})
    assert found == {"pool.jsonl": [("p", "e")]}
    with pytest.raises(InputError, match=r"pool\.jsonl: row p asks the same as evaluation row e"):
        overlap.refuse(found)
    other = overlap.find(evaluation, {"pool.jsonl": [{"id": "p", "instruction": "What is 2 + 3?"}]})
    assert other == {"pool.jsonl": []}
    overlap.refuse(other)
