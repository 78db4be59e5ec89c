"""What the page says of a selection is what its files have."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from instruction_selection.core import files
from instruction_selection.selection.page import content

CHOSEN = 12


def known(selection) -> dict[str, dict]:
    return {row["id"]: row for row in parquet.read_table(selection.scores).to_pylist()}


@pytest.fixture
def less(select):
    return select("less", CHOSEN)


def test_rows__are_the_chosen_in_their_order_and_then_the_best_others(less):
    rows = content.build(less).rows
    assert [row["step"] for row in rows] == [*range(1, CHOSEN + 1), *[None] * (60 - CHOSEN)]
    # Row 0 has no gradient, so it has no score and comes last.
    assert [row["rank"] for row in rows] == [*range(1, 60), None]
    assert rows[-1]["id"] == "p0"


def test_rows__have_what_scores_and_the_files_of_rows_have(less):
    page, table = content.build(less), known(less)
    pool = {row["id"]: row for row in files.read_jsonl(less.pool)}
    [wanted] = map(files.read_jsonl, less.validation)
    assert {row["id"] for row in page.rows} == set(table)
    for row in page.rows:
        expected = table[row["id"]]
        for key in ("task", "score", "gradient_norm", "loss", "response_tokens", "response_characters"):
            assert row[key] == expected[key]
        assert (row["instruction"], row["response"]) == (pool[row["id"]]["instruction"], pool[row["id"]]["response"])
        assert [wanted[place]["id"] for place, _ in row["nearest"]] == (expected["nearest"] or [])
        assert [cosine for _, cosine in row["nearest"]] == (expected["similarity"] or [])
    assert [row["instruction"] for row in page.validation] == [row["instruction"] for row in wanted]


def test_rows__without_a_score_are_ordered_by_similarity(select):
    page = content.build(select("g2is", CHOSEN, variance=0.9, delta=0.1))
    assert page.others_by == "similarity"
    others = [row["nearest"][0][1] for row in page.rows if row["step"] is None and row["nearest"]]
    assert others == sorted(others, reverse=True)


def test_rows__without_anything_to_order_them_by_are_drawn(select):
    page = content.build(select("random", CHOSEN))
    assert page.others_by == "random"
    assert all(row["nearest"] == [] for row in page.rows)
    ids = [row["id"] for row in page.rows]
    assert len(set(ids)) == 60
    assert ids == [row["id"] for row in content.build(select("random", CHOSEN)).rows]


def test_build__is_bounded_whatever_the_pool(less, monkeypatch):
    for name, limit in {"CHOSEN": 5, "OTHERS": 4, "CHARACTERS": 90, "SAMPLED": 20, "MARKED": 3}.items():
        monkeypatch.setattr(content, name, limit)
    page = content.build(less)
    assert [row["step"] for row in page.rows] == [1, 2, 3, 4, 5, None, None, None, None]
    texts = [len(row[key]) for row in page.rows for key in ("instruction", "response")]
    assert sum(texts) <= 90
    assert max(texts) == page.cut_at
    assert (page.map.sampled, page.map.added <= 3) == (20, True)
    assert len(page.map.points) == 20 + page.map.added + 4


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(0, 300))
def test_longest__is_the_largest_that_fits(lengths, total):
    cut_at = content.longest(np.array(lengths), total)
    if cut_at is None:
        assert sum(lengths) <= total
    else:
        assert sum(min(length, cut_at) for length in lengths) <= total
        assert sum(min(length, cut_at + 1) for length in lengths) > total


def test_tasks__are_shares_of_the_chosen_and_of_the_pool(less, monkeypatch):
    bars = content.build(less).tasks
    table = known(less)
    for bar in bars:
        of_task = [row for row in table.values() if row["task"] == bar.label]
        assert bar.pool == pytest.approx(len(of_task) / 60)
        assert bar.chosen == pytest.approx(sum(row["step"] is not None for row in of_task) / CHOSEN)
    # The target is like this kind.
    assert bars[0].label == "kind 1"
    assert bars[0].chosen > 2 * bars[0].pool
    monkeypatch.setattr(content, "TASKS", 1)
    shown = content.build(less).tasks
    assert [bar.label for bar in shown] == ["kind 1", "2 others"]
    for side in ("chosen", "pool"):
        assert sum(getattr(bar, side) for bar in shown) == pytest.approx(1)


def test_lengths__cover_every_row(select):
    for replaced in ({}, {3: {"response": ""}}, {5: {"response": "r" * 40_000}}):
        bars = content.build(select("random", CHOSEN, replaced)).lengths
        assert sum(bar.chosen for bar in bars) == pytest.approx(1)
        assert sum(bar.pool for bar in bars) == pytest.approx(1)


def test_lengths__of_equal_responses_are_one_interval(select):
    same = {place: {"response": "four"} for place in range(60)}
    assert content.build(select("random", CHOSEN, same)).lengths == [("4", 1.0, 1.0)]


def test_duplicates__are_counted_among_the_chosen(select):
    same = {"instruction": "Say the same thing again", "response": "As you like it"}
    page = content.build(select("full", 60, {10: same, 20: same, 30: {**same, "response": "as you  like it"}}))
    assert (page.equal, page.similar) == (2, 0)
    assert {row["id"]: row["twin"] for row in page.rows if row["twin"]} == dict.fromkeys(
        ("p20", "p30"), {"step": 11, "exact": True}
    )


def test_map__has_the_pool_the_chosen_and_the_wanted(less):
    found = content.build(less).map
    kinds = [kind for _, _, kind, _ in found.points]
    # But for the row without a gradient.
    assert [kinds.count(kind) for kind in (0, 1, 2)] == [59 - CHOSEN, CHOSEN, 4]
    assert all(0 <= value <= 1000 for x, y, _, _ in found.points for value in (x, y))
    assert found.features == "pool_gradients"
    assert 0 < found.variance <= 1


def test_map__leaves_out_chosen_rows_without_features(select):
    less = select("less", CHOSEN)
    found = content.build(
        replace(less, **{name: getattr(select("full", 60), name) for name in ("summary", "scores")})
    ).map
    assert [kind for _, _, kind, _ in found.points] == [1] * 59 + [2] * 4


def test_map__of_a_method_without_features_is_of_words(select):
    found = content.build(select("random", CHOSEN)).map
    assert found.features == "words"
    assert len(found.points) == 60


def test_map__of_rows_that_do_not_differ_is_left_out(select):
    same = {place: {"instruction": "same", "response": "same"} for place in range(60)}
    assert content.build(select("random", CHOSEN, same)).map is None
