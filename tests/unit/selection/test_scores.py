"""scores.parquet: what is known of every row of the pool."""

import numpy as np
import pytest
from pyarrow import parquet
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.selection import Inputs, Selection, scores
from instruction_selection.selection.examples import Examples
from instruction_selection.selection.run import run_method

VALIDATION = ["a", "b", "c", "d", "e"]


@pytest.fixture
def pool(tmp_path) -> Examples:
    path = tmp_path / "pool.jsonl"
    files.write_jsonl(path, [{"id": f"p{n}", "task": "t", "instruction": "i", "response": "r" * n} for n in range(40)])
    return Examples.read(path)


@pytest.fixture
def inputs() -> Inputs:
    """Row 7 of the pool and row 1 of the target are zero, so that they cannot be used."""
    rng = np.random.default_rng(0)
    features, validation = rng.normal(size=(40, 6)), rng.normal(size=(5, 6))
    features[7], validation[1] = 0, 0
    pair = map(InMemoryMatrix.normalised, (features, validation))
    return Inputs.of(40, **dict(zip(("pool_embeddings", "validation_embeddings"), pair, strict=True)))


def written(tmp_path, pool: Examples, inputs: Inputs, result: Selection) -> list[dict]:
    scores.write(tmp_path / "scores.parquet", pool, VALIDATION, inputs, result, None)
    return parquet.read_table(tmp_path / "scores.parquet").to_pylist()


def test_scores__are_of_every_row_that_can_be_used(tmp_path, pool, inputs):
    result = run_method("sbert", inputs, 10, {}, 0)
    rows = written(tmp_path, pool, inputs, result)
    assert [row["id"] for row in rows] == pool.ids
    assert [row["response_characters"] for row in rows] == list(range(40))
    assert [row["id"] for row in rows if row["score"] is None] == ["p7"]
    ranked = sorted((row for row in rows if row["rank"]), key=lambda row: row["rank"])
    assert [row["rank"] for row in ranked] == list(range(1, 40))
    assert all(first["score"] >= second["score"] for first, second in zip(ranked, ranked[1:], strict=False))
    # The chosen are the first by rank, in this order.
    assert [row["step"] for row in ranked] == [*range(1, 11), *[None] * 29]


def test_nearest__are_the_most_similar_validation_rows_that_can_be_used(tmp_path, pool, inputs):
    rows = written(tmp_path, pool, inputs, Selection(np.arange(3)))
    cosines = inputs.pool_embeddings.unit @ inputs.validation_embeddings.unit.T
    for place, row in enumerate(rows):
        if place == 7:
            assert row["nearest"] is row["similarity"] is None
            continue
        best = sorted({0, 2, 3, 4}, key=lambda column: -cosines[place, column])[:3]
        assert row["nearest"] == [VALIDATION[column] for column in best]
        assert row["similarity"] == pytest.approx(cosines[place, best], abs=1e-6)


def test_another_budget__is_what_the_method_selects_with_it(tmp_path, pool, inputs):
    written(tmp_path, pool, inputs, run_method("sbert", inputs, 4, {}, 0))
    chosen = run_method("sbert", inputs, 25, {}, 0).indices
    assert scores.best(tmp_path / "scores.parquet", 25) == [pool.ids[index] for index in chosen]


def test_another_budget__above_the_rows_with_a_score_is_rejected(tmp_path, pool, inputs):
    written(tmp_path, pool, inputs, run_method("sbert", inputs, 4, {}, 0))
    for count in (0, 40):
        with rejected("count-exceeds-pool", path=tmp_path / "scores.parquet"):
            scores.best(tmp_path / "scores.parquet", count)


def test_another_budget__of_a_method_without_scores_is_rejected(tmp_path, pool, inputs):
    rows = written(tmp_path, pool, inputs, run_method("random", inputs, 4, {}, 0))
    assert sum(row["step"] is not None for row in rows) == 4
    with rejected("no-scores", path=tmp_path / "scores.parquet"):
        scores.best(tmp_path / "scores.parquet", 4)
