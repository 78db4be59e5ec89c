"""Per-sample results are read by the id of their row, and every one is there once."""

import json

import pytest

from instruction_selection.errors import InputError
from instruction_selection.tables import samples


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def sample(name, **metrics):
    return {"doc": {} if name is None else {"id": name}, **metrics}


def test_every_metric_is_read_by_row(tmp_path):
    path = write(tmp_path / "s.jsonl", sample("a", acc=1, loss=0.5), sample("b", acc=0, loss=2))
    assert samples.read(path, ["acc", "loss"]) == {"acc": {"a": 1, "b": 0}, "loss": {"a": 0.5, "b": 2}}


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (sample("a", acc=1), "line 2: a second result for row 'a'"),
        (sample("b"), "line 2: no metric 'acc'"),
        (sample(None, acc=1), "line 2: the sample's row has no id"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, second, expected):
    path = write(tmp_path / "s.jsonl", sample("a", acc=1), second)
    with pytest.raises(InputError) as caught:
        samples.read(path, ["acc"])
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)
