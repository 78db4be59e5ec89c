"""The checker of golden cases: it passes what is right, and says what is wrong."""

import json
import subprocess
import sys

import check_golden
import numpy as np
import pytest

WEIGHTS = np.array([1e-5, 3e-5])


def write(path, params: dict, **arrays) -> None:
    np.savez(path, params=json.dumps(params), **arrays)


@pytest.fixture
def folder(tmp_path):
    """A case done by hand per method, in folders and with names of their own."""
    (tmp_path / "deeper").mkdir()
    write(
        tmp_path / "scores.npz",
        {"method": "less"},
        X=np.array([[[2, 0], [0, 5], [3, 4]], [[0, 1], [1, 0], [1, 0]]], np.float32),
        V=np.array([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], np.float32),
        checkpoint_weights=WEIGHTS,
        subtask_ids=np.array([0, 1]),
        # Rows times subtasks: (1, 0), (0, 1), (.6, .8) with weight 1/4 and (0, 1), (1, 0), (1, 0) with 3/4.
        expected_scores=np.array([0.75, 0.75, 0.9], np.float32),
        expected_scores_f64=np.array([0.75, 0.75, 0.9]),
        expected_top=np.array([2]),
    )
    write(
        tmp_path / "deeper" / "mean.npz",
        {"method": "tagcos_mean_grad"},
        G=np.array([[[1, 0]], [[0, 1]]], np.float32),
        checkpoint_weights=WEIGHTS,
        expected_mean=np.array([[0.25, 0.75]], np.float32),
    )
    write(
        tmp_path / "deeper" / "pursuit.npz",
        {"method": "tagcos_omp", "nnz": 2, "lam": 0.0, "tol": 1e-4, "positive": True},
        pool=np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32),
        target=np.array([1, 0, 3], np.float32),
        expected_indices=np.array([2, 0]),
        expected_weights=np.array([3, 1], np.float32),
        expected_x=np.array([1, 0, 3], np.float32),
    )
    return tmp_path


def run(folder) -> subprocess.CompletedProcess:
    command = [sys.executable, check_golden.__file__, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_line_per_case_and_a_count(folder):
    result = run(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines() == [
        "deeper/mean.npz: ok",
        "deeper/pursuit.npz: ok",
        "scores.npz: ok",
        "3 of 3",
    ]


@pytest.mark.parametrize(
    ("name", "field", "value", "told"),
    [
        ("scores", "expected_top", np.array([1]), "top: 2 instead of 1 at 0"),
        ("scores", "expected_scores", np.zeros(3, np.float32), "expected_scores: off by up to 0.9"),
        ("deeper/mean", "expected_mean", np.zeros((1, 2), np.float32), "mean: off by up to 0.75"),
        ("deeper/mean", "expected_mean", np.zeros((1, 2), np.float16), "mean: float32 instead of float16"),
        ("deeper/pursuit", "expected_indices", np.array([0, 2]), "indices: 2 instead of 0 at 0"),
        ("deeper/pursuit", "params", json.dumps({"method": "magic"}), "method 'magic' is not known"),
        ("deeper/pursuit", "params", "{", "JSONDecodeError"),
    ],
)
def test_what_differs_is_told_and_counted(folder, capsys, name, field, value, told):
    path = folder / f"{name}.npz"
    with np.load(path) as stored:
        case = dict(stored)
    np.savez(path, **{**case, field: value})
    assert check_golden.main(folder) == 1
    printed = capsys.readouterr().out
    assert f"{name}.npz: {told}" in printed
    assert printed.endswith("2 of 3\n")


def test_a_folder_without_cases_does_not_pass(tmp_path, capsys):
    assert check_golden.main(tmp_path) == 1
    assert capsys.readouterr().out == "0 of 0\n"


def test_a_file_that_is_no_case_fails(folder, capsys):
    (folder / "broken.npz").write_bytes(b"nothing")
    assert check_golden.main(folder) == 1
    assert "3 of 4" in capsys.readouterr().out
