"""What the report says of selections is what their files say."""

import json
import re
from dataclasses import replace

import pytest

from instruction_selection.core.entry_names import ANY
from instruction_selection.experiment.grid import Cell
from instruction_selection.tables import chosen, shared_rows

METHODS = {"g2is": "G2IS", "random": "Random", "sbert": "Sentence-BERT", "less": "LESS"}
LABELS = chosen.Labels(METHODS, {"m": "Model M", "n": "Model N"})
WALK = {"selected": 2, "rejected_by_conflict": 5, "rejected_by_consistency": 7, "fallbacks": 1}


def row(number):
    return {"id": str(number), "task": f"t{number % 10}", "instruction": "i" * number, "response": "r" * (number + 1)}


@pytest.fixture
def section(tmp_path):
    def section(**changes):
        rows = [row(number) for number in range(400, 420)]
        tasks = {f"t{number}": 2 for number in range(10)}
        summary = {"selected": 20, "pool_rows": 500, "tasks": tasks, "details": {}, "trace": {}, **changes}
        for name, written in (("pool", [row(number) for number in range(500)]), ("chosen", rows)):
            (tmp_path / name).write_text("".join(json.dumps(entry) + "\n" for entry in written))
        (tmp_path / "summary").write_text(json.dumps(summary))
        cell = Cell(model=ANY, pool="p", target="logic", method="g2is", ratio="0.1", seed=0)
        selection = chosen.SelectionFiles(cell, tmp_path / "chosen", tmp_path / "summary", "runs/selection.html")
        [found] = chosen.sections([selection], {"p": chosen.Pool.read(tmp_path / "pool")}, LABELS)
        return found

    return section


def test_sections__describe_a_selection_briefly(section):
    found = section()
    assert found.label == "G2IS (p, logic, 0.1, seed 0)"
    assert found.chosen == "20 of 500 rows"
    assert found.tasks.endswith("t7 2, and 2 more")
    assert len(found.examples) == chosen.EXAMPLES
    assert found.examples[0].instruction == "i" * chosen.TEXT + " …"
    assert found.counts == []
    assert [drawing.label for drawing in found.drawings] == ["Length of responses"]


def test_sections__count_and_draw_a_walk(section):
    trace = {"explained_variance": [0.5, 0.3, 0.2], "similarities": [0.9]}
    found = section(details={"components": [WALK]}, trace=trace)
    assert found.counts == [(2, 5, 7, 1)]
    variance, walk = found.drawings[1:]
    assert "kept: 1" in variance.svg
    assert "Cosine with the row before" in walk.svg


def test_overlap__has_every_pair_of_methods_that_share_a_model():
    selections = [
        (Cell(model=model, pool="p", target="t", method=method, ratio="0.1", seed=0), ids)
        for model, method, ids in (
            (ANY, "random", {"1", "2", "3", "4"}),
            (ANY, "sbert", {"4", "5"}),
            ("m", "less", {"1"}),
            ("n", "less", {"1", "2", "4"}),
        )
    ]
    drawn = dict(chosen.overlap(shared_rows.build(selections), LABELS))
    assert list(drawn) == ["Model M, p, 0.1, seed 0", "Model N, p, 0.1, seed 0"]

    def numbers(svg):
        comments = re.findall("<!-- (.*?) -->", svg)
        return sorted(int(text) for text in comments if text.isdigit())

    # Random and Sentence-BERT share row 4; LESS of m shares row 1, of n rows 1, 2, 4 with Random and 4 with the other.
    assert numbers(drawn["Model M, p, 0.1, seed 0"]) == [0, 0, 25, 25, 50, 100]
    assert numbers(drawn["Model N, p, 0.1, seed 0"]) == [25, 33, 50, 50, 75, 100]
    for svg in drawn.values():
        assert {"Random", "Sentence-BERT", "LESS"} <= set(re.findall("<!-- (.*?) -->", svg))


def test_tasks__are_shares_of_what_was_chosen_over_all_seeds(tmp_path):
    selections = []
    for seed, counts in enumerate(({"a": 1, "b": 1}, {"a": 2})):
        path = tmp_path / f"{seed}.json"
        path.write_text(json.dumps({"tasks": counts}))
        cell = Cell(model=ANY, pool="p", target=ANY, method="random", ratio="0.1", seed=seed)
        selections.append(chosen.SelectionFiles(cell, "unread", path, "unread"))
    # Of another target.
    selections.append(chosen.SelectionFiles(replace(cell, target="other"), "unread", tmp_path / "unread", "unread"))
    [(label, svg)] = chosen.tasks("t", selections, {"p": chosen.Pool([], {"a": 1, "b": 1, "c": 2})}, LABELS)
    assert label == "p, 0.1"
    texts = re.findall("<!-- (.*?) -->", svg)
    assert [text for text in texts if text.isdigit()] == ["25", "25", "50", "75", "25", "0"]
    assert {"Pool", "Random", "a", "b", "c"} <= set(texts)


def test_tasks__rare_ones_are_added_up(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps({"tasks": {"common": 1}}))
    cell = Cell(model=ANY, pool="p", target=ANY, method="random", ratio="0.1", seed=0)
    pool = chosen.Pool([], {"common": 100, **{f"rare{number}": 1 for number in range(100)}})
    [(_, svg)] = chosen.tasks(
        "t", [chosen.SelectionFiles(cell, "unread", tmp_path / "s.json", "unread")], {"p": pool}, LABELS
    )
    columns = [text for text in re.findall("<!-- (.*?) -->", svg) if not text.isdigit()]
    assert len(columns) - 2 == chosen.COLUMNS + 1
    assert chosen.OTHERS in columns
