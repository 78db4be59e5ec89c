"""What the report says of selections is what their files say."""

import json
import re

import pytest

from instruction_selection.tables import chosen, shared_rows

METHODS = {name: {"label": name.upper()} for name in ("g2is", "random")}
WALK = {"selected": 2, "refused_by_conflict": 5, "refused_by_consistency": 7, "fallbacks": 1}


def row(number):
    return {"id": str(number), "task": f"t{number % 10}", "instruction": "i" * number, "response": "r" * (number + 1)}


@pytest.fixture
def section(tmp_path):
    def section(**changes):
        rows = [row(number) for number in range(400, 420)]
        tasks = {f"t{number}": 2 for number in range(10)}
        summary = {"selected": 20, "pool_rows": 500, "tasks": tasks, "details": {}, **changes}
        for name, written in (("pool", [row(number) for number in range(500)]), ("chosen", rows)):
            (tmp_path / name).write_text("".join(json.dumps(entry) + "\n" for entry in written))
        (tmp_path / "summary").write_text(json.dumps(summary))
        cell = {"model": "any", "pool": "p", "target": "logic", "method": "g2is", "ratio": "0.1", "seed": "0"}
        cells = [(cell, str(tmp_path / "chosen"), str(tmp_path / "summary"))]
        [found] = chosen.sections(cells, {"p": tmp_path / "pool"}, METHODS)
        return found

    return section


def test_a_selection_is_described_briefly(section):
    found = section()
    assert found["label"] == "G2IS (p, logic, 0.1, seed 0)"
    assert found["chosen"] == "20 of 500 rows"
    assert found["tasks"].endswith("t7 2, and 2 more")
    assert len(found["rows"]) == chosen.ROWS
    assert found["rows"][0]["instruction"] == "i" * chosen.TEXT + " …"
    assert found["counts"] == []
    assert [label for label, _ in found["drawings"]] == ["Length of responses"]


def test_a_walk_is_counted_and_drawn(section):
    trace = {"explained_variance": [0.5, 0.3, 0.2], "similarities": [0.9]}
    found = section(details={"components": [WALK]}, trace=trace)
    assert found["counts"] == [[2, 5, 7, 1]]
    variance, walk = [svg for _, svg in found["drawings"][1:]]
    assert "kept: 1" in variance
    assert "Cosine with the row before" in walk


def test_a_heat_table_has_every_pair_of_methods_that_share_a_model():
    cells = [
        ({"model": model, "pool": "p", "ratio": "0.1", "seed": "0", "method": method}, ids)
        for model, method, ids in (
            ("any", "random", {1, 2, 3, 4}),
            ("any", "sbert", {4, 5}),
            ("m", "less", {1}),
            ("n", "less", {1, 2, 4}),
        )
    ]
    table = [{key: str(value) for key, value in entry.items()} for entry in shared_rows.build(cells)]
    drawn = dict(chosen.overlap(table))
    assert list(drawn) == ["m, p, 0.1, seed 0", "n, p, 0.1, seed 0"]

    def numbers(svg):
        comments = re.findall("<!-- (.*?) -->", svg)
        return sorted(int(text) for text in comments if text.isdigit())

    # Random and Sentence-BERT share row 4; LESS of m shares row 1, of n rows 1, 2, 4 with Random and 4 with the other.
    assert numbers(drawn["m, p, 0.1, seed 0"]) == [0, 0, 25, 25, 50, 100]
    assert numbers(drawn["n, p, 0.1, seed 0"]) == [25, 33, 50, 50, 75, 100]
