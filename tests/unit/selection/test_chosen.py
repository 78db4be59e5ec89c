"""Ids that a rule of a method's own lists."""

import numpy as np
import pytest
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.selection import chosen
from instruction_selection.selection import job as selection_job

IDS = ["a", "b c", "größer", "d", "e"]


@pytest.fixture
def listed(tmp_path):
    """A function that writes a file with these lines."""

    def write(text: str):
        (tmp_path / "chosen.txt").write_text(text, encoding="utf-8")
        return tmp_path / "chosen.txt"

    return write


@pytest.mark.parametrize("end", ["", "\n"])
def test_read__the_first_of_a_ranking(listed, end):
    path = listed("größer\na\nb c\nd" + end)
    for budget in (1, 3, 4, 5):
        result = chosen.read(path, IDS, budget)
        assert result.indices.tolist() == [2, 0, 1, 3][:budget]
        assert result.indices.dtype == np.int64
        assert result.details == {"listed": 4}


def test_read__an_id_of_no_example_is_rejected(listed):
    for text, line in (("a\nz\n", 2), ("a\n\nd", 2), ("a \n", 1)):
        with rejected("unknown-id", path="chosen.txt", key=f"line {line}"):
            chosen.read(listed(text), IDS, 5)


def test_read__an_id_twice_is_rejected_even_beyond_the_budget(listed):
    with rejected("duplicate-id", path="chosen.txt", key="line 3"):
        chosen.read(listed("d\na\nd\n"), IDS, 1)


@pytest.mark.parametrize("text", ["", "\n"])
def test_read__an_empty_file_is_rejected(listed, text):
    with rejected("nothing-chosen", path="chosen.txt"):
        chosen.read(listed(text), IDS, 1)


def test_execute__writes_what_it_writes_of_any_method(listed, tmp_path):
    rows = [{"id": name, "task": f"t{len(name)}", "instruction": "i", "response": "r"} for name in IDS]
    files.write_jsonl(tmp_path / "pool.jsonl", rows)
    shared = {"ratio": 0.4, "seed": 3, "params": {}, "pool": str(tmp_path / "pool.jsonl")}
    written = {}
    for name, given in (("random", {}), ("own", {"chosen": str(listed("größer\na\nd\n"))})):
        job = selection_job.Job(name, "random" if name == "random" else None, **shared, **given)
        selection_job.execute(job, tmp_path / name, code={"x": "1"})
        written[name] = files.read_json(tmp_path / name / "selection.json")
    assert written["own"].keys() == written["random"].keys()
    assert files.read_jsonl(tmp_path / "own/selected.jsonl") == [rows[2], rows[0]]
    assert written["own"]["tasks"] == {"t1": 1, "t6": 1}
    assert (written["own"]["selected"], written["own"]["pool_rows"], written["own"]["shortfall"]) == (2, 5, 0)
    assert written["own"]["provenance"]["inputs"]["chosen"]["sha256"] == files.sha256(tmp_path / "chosen.txt")
