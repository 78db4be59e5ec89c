"""Texts in memory and in a file of examples are read alike."""

import numpy as np
import pytest

from instruction_selection.core import files
from instruction_selection.core.features import FEATURES
from instruction_selection.selection import Text, Texts, reading
from instruction_selection.selection.examples import Examples

ROWS = [
    {"id": str(number), "task": f"t{number % 2}", "instruction": f"Zürich\n{number}?", "response": "日本" * number}
    for number in range(7)
]
PAIRS = [Text(row["instruction"], row["response"]) for row in ROWS]


@pytest.fixture
def on_disk(tmp_path) -> Examples:
    files.write_jsonl(tmp_path / "pool.jsonl", ROWS)
    return Examples.read(tmp_path / "pool.jsonl")


@pytest.fixture(params=["memory", "file"])
def texts(request, on_disk) -> Texts:
    return Texts.of(PAIRS) if request.param == "memory" else Texts(on_disk.texts, np.arange(len(on_disk)))


def test_texts__can_be_read_again(texts):
    assert len(texts) == 7
    assert [*texts] == [*texts] == PAIRS
    assert str(PAIRS[1]) == "Zürich\n1?\n日本"


def test_texts__at_indices_or_where_a_mask_holds(texts):
    some = texts.at(np.array([5, 0, 5]))
    assert [*some] == [PAIRS[5], PAIRS[0], PAIRS[5]]
    assert [*some.at(np.array([False, True, True]))] == [PAIRS[0], PAIRS[5]]


def test_texts__of_a_joint_target_have_the_subtasks_of_their_parts(on_disk):
    names = [np.array(on_disk.tasks), np.array([f"other/{task}" for task in on_disk.tasks])]
    source = reading.Source({"pool": [on_disk], "validation": [on_disk, on_disk]}, names)
    found, _ = reading.read({"pool_text": ["pool.jsonl"], "validation_text": ["a", "b"]}, source)
    assert [*found["validation_text"]] == PAIRS + PAIRS
    assert found["validation_text"].subtasks.tolist() == [*names[0], *names[1]]
    assert found["pool_text"].subtasks is None
    assert FEATURES["pool_text"].form == "texts"
