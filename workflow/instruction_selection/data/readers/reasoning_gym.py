"""Seeded examples from Reasoning Gym's generators (https://github.com/open-thought/reasoning-gym)."""

import hashlib

from instruction_selection.core.errors import InputError
from instruction_selection.core.missing import stand_in_for

stand_in_for("pycosat", "only Reasoning Gym's zebra_puzzles uses it, and building it takes a C compiler")

import reasoning_gym  # noqa: E402
from reasoning_gym.factory import DATASETS  # noqa: E402

#: Tenths of all instructions that a split owns. Generators repeat themselves across seeds, so seeds alone would not
#: keep splits apart; a hash of the instruction does.
SPLITS = {"pool": range(0, 6), "validation": range(6, 8), "evaluation": range(8, 10)}
#: Draws per example before a generator is reported as too small.
PATIENCE = 200


def read(task: str, split: str, count: int, seed: int) -> list[dict]:
    """`count` different examples of the generator `task`, each as {task, instruction, response}."""
    if task not in DATASETS:
        raise InputError(
            "unknown-generator", f"Reasoning Gym has no generator {task!r}; see its gallery for names", key="tasks"
        )
    generator = reasoning_gym.create_dataset(task, seed=_seed(task, split, seed), size=PATIENCE * count)
    examples = {}
    for item in generator:
        if len(examples) == count:
            break
        instruction, answer = item["question"].strip(), item["answer"]
        if answer is not None and _tenth(instruction) in SPLITS[split]:
            examples.setdefault(instruction, {"task": task, "instruction": instruction, "response": str(answer)})
    if len(examples) < count:
        raise InputError(
            "generator-too-small",
            f"Reasoning Gym's {task!r} yields {len(examples)} different {split} examples, and {count} are requested; "
            "request fewer or list more tasks",
            key="tasks",
        )
    return list(examples.values())


def _seed(task: str, split: str, seed: int) -> int:
    """Seeds far apart: a generator draws its item i with seed + i, so neighbouring seeds share items."""
    return int.from_bytes(hashlib.sha256(f"{task}/{split}/{seed}".encode()).digest()[:4], "big") >> 1


def _tenth(instruction: str) -> int:
    return hashlib.sha256(instruction.encode()).digest()[0] % 10
