"""Per-sample results are read by the id of their row, and every one is there once."""

import json

import pytest
from support.rejections import rejected

from instruction_selection.experiment.benchmark import Metric
from instruction_selection.tables import samples

LIKELIHOOD = Metric(name="log_likelihood", task="likelihood", label="Log-likelihood")
RIGHT = Metric(name="right", task="generation", metric="exact_match", filter="last-number", label="Right")


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def likelihood(name, **metrics):
    return {"id": name, "task": "likelihood", "filter": "none", **metrics}


def generation(name, filter="last-number", **metrics):
    return {"id": name, "task": "generation", "filter": filter, **metrics}


def test_read__every_metric_from_its_own_task_and_filter(tmp_path):
    path = write(
        tmp_path / "s.jsonl",
        *(likelihood("a", log_likelihood=-0.5), likelihood("b", log_likelihood=-2.0)),
        *(generation("a", exact_match=1), generation("a", filter="strict", exact_match=0)),
        *(generation("b", exact_match=0), generation("b", filter="strict", exact_match=0)),
    )
    assert samples.read(path, [LIKELIHOOD, RIGHT]) == {
        "log_likelihood": {"a": -0.5, "b": -2.0},
        "right": {"a": 1, "b": 0},
    }


@pytest.mark.parametrize(
    ("second", "code"),
    [(likelihood("a", log_likelihood=1), "duplicate-result"), (likelihood("b"), "no-metric")],
)
def test_read__names_a_wrong_line(tmp_path, second, code):
    path = write(tmp_path / "s.jsonl", likelihood("a", log_likelihood=1), second)
    with rejected(code, path=path, key="line 2"):
        samples.read(path, [LIKELIHOOD])


def test_read__names_the_file_without_a_metric(tmp_path):
    path = write(tmp_path / "s.jsonl", likelihood("a", log_likelihood=1))
    with rejected("metric-without-samples", path=path):
        samples.read(path, [LIKELIHOOD, RIGHT])
