"""The library gives what the authors' own code gave (tests/golden), and the checker of such cases finds mistakes."""

import json
import subprocess
import sys
from pathlib import Path

import check_golden
import numpy as np
import pytest
from sklearn.decomposition import PCA

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.selection.walk import reference

WEIGHTS = np.array([1e-5, 3e-5])
GOLDEN = sorted((Path(__file__).resolve().parents[1] / "golden").glob("*.npz"))


def test_golden__every_recorded_case_is_here():
    assert len(GOLDEN) == 38


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden__same_as_the_authors_code(path):
    assert check_golden.check(path) is None


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


def test_check_golden__passes_expectations_written_out(tmp_path, capsys):
    """Cases of other sizes than the published ones, expectations from the plain formulas and references."""
    rng = np.random.default_rng(0)
    pool, target = rng.normal(size=(40, 10)).astype("f4"), rng.normal(size=(7, 10)).astype("f4")
    pca = PCA(0.6, svd_solver="full").fit(target)
    weights = pca.explained_variance_ratio_ / pca.explained_variance_ratio_.sum()
    budgets = largest_remainder(10, weights)
    unit = pool / np.linalg.norm(pool, axis=1, keepdims=True)
    graph = np.argsort(-(unit @ unit.T), axis=1, kind="stable")[:, 1:6]
    for name, neighbours in (("full", None), ("nearest", graph)):
        walks = reference.walk_author_code(unit, pca.components_, budgets, 0.7, neighbours)
        write(
            tmp_path / f"walk-{name}.npz",
            {"method": "g2is_official", "ratio": 0.25, "delta": 0.7, "val_k": 0.6, "pca_mode": "variance"},
            X=pool,
            V=target,
            components=pca.components_,
            weights=weights,
            budgets=budgets,
            expected_selection=np.concatenate([walk.indices for walk in walks]).astype(int),
            expected_counts=np.array([len(walk.indices) for walk in walks]),
            **({} if neighbours is None else {"graph": neighbours.astype("i2")}),
        )
    g, m, v = rng.normal(size=(3, 9)).astype("f4"), rng.normal(size=9).astype("f4"), rng.random(9).astype("f4")
    wide_g, wide_m, wide_v = (values.astype("f8") for values in (g, m, v))
    gamma = (0.9 * wide_m + 0.1 * wide_g) / np.sqrt(0.999 * wide_v + 0.001 * wide_g**2 + 1e-8)
    write(
        tmp_path / "step.npz",
        {"method": "adam_feature"},
        g=g,
        m=m,
        v=v,
        expected_gamma=gamma.astype("f4"),
        expected_gamma_f64=gamma,
    )
    # Of full rank, the subspace is the rows' own, and projecting on it the pseudo-inverse.
    inside = pool @ np.linalg.pinv(target) @ target
    cosines = inside @ target.T / np.outer(np.linalg.norm(inside, axis=1), np.linalg.norm(target, axis=1))
    write(
        tmp_path / "subspace.npz",
        {"method": "gist", "rank": 7},
        G=pool[None],
        V=target[None],
        checkpoint_weights=np.ones(1),
        subtask_ids=np.arange(7),
        expected_val_gram=(target @ target.T)[None],
        expected_train_val_inner=(pool @ target.T)[None],
        expected_train_proj_norm=np.linalg.norm(inside, axis=1)[None],
        expected_scores=cosines.max(1),
        expected_top=np.argsort(-cosines.max(1))[:4],
    )
    assert check_golden.main(tmp_path) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.endswith("4 of 4\n")


def run(folder) -> subprocess.CompletedProcess:
    command = [sys.executable, check_golden.__file__, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_check_golden__line_per_case_and_count(folder):
    result = run(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines() == [
        "deeper/mean.npz: ok",
        "deeper/pursuit.npz: ok",
        "scores.npz: ok",
        "3 of 3",
    ]


@pytest.mark.parametrize(
    ("name", "field", "value", "sentence"),
    [
        ("scores", "expected_top", np.array([1]), "top: 2 instead of 1 at 0"),
        ("scores", "expected_scores", np.zeros(3, np.float32), "expected_scores: off by up to 0.9"),
        ("deeper/mean", "expected_mean", np.zeros((1, 2), np.float32), "mean: off by up to 0.75"),
        ("deeper/mean", "expected_mean", np.zeros((1, 2), np.float16), "mean: float32 instead of float16"),
        ("deeper/pursuit", "expected_indices", np.array([0, 2]), "indices: 2 instead of 0 at 0"),
        ("deeper/pursuit", "params", json.dumps({"method": "magic"}), "method 'magic' is unknown"),
        ("deeper/pursuit", "params", "{", "JSONDecodeError"),
    ],
)
def test_check_golden__reports_and_counts_what_differs(folder, capsys, name, field, value, sentence):
    path = folder / f"{name}.npz"
    with np.load(path) as stored:
        case = dict(stored)
    np.savez(path, **{**case, field: value})
    assert check_golden.main(folder) == 1
    output = capsys.readouterr().out
    assert f"{name}.npz: {sentence}" in output
    assert output.endswith("2 of 3\n")


def test_check_golden__folder_without_cases_fails(tmp_path, capsys):
    assert check_golden.main(tmp_path) == 1
    assert capsys.readouterr().out == "0 of 0\n"


def test_check_golden__unreadable_case_fails(folder, capsys):
    (folder / "broken.npz").write_bytes(b"nothing")
    assert check_golden.main(folder) == 1
    assert "3 of 4" in capsys.readouterr().out
