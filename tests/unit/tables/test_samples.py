"""Per-sample results are read by the id of their row, and every one is there once."""

import json

import pytest

from instruction_selection.core.errors import InputError
from instruction_selection.tables import samples

LIKELIHOOD = {"name": "perplexity", "task": "likelihood", "metric": None, "filter": "none"}
RIGHT = {"name": "right", "task": "generation", "metric": "exact_match", "filter": "last-number"}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def likelihood(name, **metrics):
    return {"id": name, "task": "likelihood", "filter": "none", **metrics}


def generation(name, filter="last-number", **metrics):
    return {"id": name, "task": "generation", "filter": filter, **metrics}


def test_every_metric_is_read_by_row_from_its_own_task_and_filter(tmp_path):
    path = write(
        tmp_path / "s.jsonl",
        *(likelihood("a", perplexity=-0.5), likelihood("b", perplexity=-2.0)),
        *(generation("a", exact_match=1), generation("a", filter="strict", exact_match=0)),
        *(generation("b", exact_match=0), generation("b", filter="strict", exact_match=0)),
    )
    assert samples.read(path, [LIKELIHOOD, RIGHT]) == {
        "perplexity": {"a": -0.5, "b": -2.0},
        "right": {"a": 1, "b": 0},
    }


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (likelihood("a", perplexity=1), "line 2: a second result for row 'a'"),
        (likelihood("b"), "line 2: no metric 'perplexity'"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, second, expected):
    path = write(tmp_path / "s.jsonl", likelihood("a", perplexity=1), second)
    with pytest.raises(InputError) as caught:
        samples.read(path, [LIKELIHOOD])
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_metric_without_samples_is_named(tmp_path):
    path = write(tmp_path / "s.jsonl", likelihood("a", perplexity=1))
    with pytest.raises(InputError, match="no sample has the metric 'right'"):
        samples.read(path, [LIKELIHOOD, RIGHT])
