"""Compare this library with what the authors' own code gave: `python tests/check_golden.py DIR`.

Every .npz file below DIR is a case: inputs, expected outputs, and `params`, JSON with the name of the `method`. A line
is printed per case, and `N of M` at the end; the exit code is 1 unless all cases pass and there is at least one.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.features.gradients import adam
from instruction_selection.features.matrix import InMemoryMatrix, weighted_mean
from instruction_selection.selection.algorithms import clusters, matching_pursuit, similarity, subspace
from instruction_selection.selection.walk import fast
from instruction_selection.selection.walk.components import counted_components, principal_components
from instruction_selection.selection.walk.quantised import Quantised

#: Without torch, and by what runs on a GPU too.
DEVICES = (None, "cpu")


class Mismatch(Exception):
    """What differs."""


def equal(name: str, found, expected) -> None:
    """Whole numbers, in the same order."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        raise Mismatch(f"{name}: {found.shape} instead of {expected.shape}")
    if not np.array_equal(found, expected):
        first = np.flatnonzero(found.ravel() != expected.ravel())[0]
        raise Mismatch(f"{name}: {found.ravel()[first]} instead of {expected.ravel()[first]} at {first}")


def close(name: str, found, expected, absolute: float, relative: float = 0) -> None:
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        raise Mismatch(f"{name}: {found.shape} instead of {expected.shape}")
    if not np.allclose(found, expected, rtol=relative, atol=absolute):
        raise Mismatch(f"{name}: off by up to {np.abs(found - expected).max():.2g}")


def top(scores: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(-scores, kind="stable")[:count]


def g2is(case: dict, params: dict) -> None:
    """From the raw rows to the selection; components and budgets are checked on the way."""
    # Their count is a share of the dimension, ours of the components that there are: the same with enough rows.
    decompose = {"variance": principal_components, "count_ratio": counted_components}[params["pca_mode"]]
    components, weights = decompose(case["V"], params["val_k"])
    close("components", components, case["components"], 1e-3)
    close("weights", weights, case["weights"], 1e-4)
    budgets = largest_remainder(int(len(case["X"]) * params["ratio"]), weights)
    equal("budgets", budgets, case["budgets"])
    graph = case["graph"].astype(np.int64) if "graph" in case else None
    for device in DEVICES:
        rows = InMemoryMatrix(subspace.unit(case["X"])).on(device)
        copies = Quantised(rows, memory_mib=8000)
        walks = fast.walk_author_code(copies, components, budgets, params["delta"], graph)
        equal("counts", [len(walked.indices) for walked in walks], case["expected_counts"])
        equal("selection", [row for walked in walks for row in walked.indices], case["expected_selection"])


def less(case: dict, params: dict) -> None:
    for kind, expected, tolerance, device in (
        *(("f4", "expected_scores", 1e-6, device) for device in DEVICES),
        ("f8", "expected_scores_f64", 1e-6, None),
    ):
        pools, validations = ([subspace.unit(rows.astype(kind)) for rows in case[name]] for name in ("X", "V"))
        scores = similarity.weighted_best_subtask_mean(
            [InMemoryMatrix(rows).on(device) for rows in pools],
            validations,
            case["checkpoint_weights"],
            case["subtask_ids"],
        )
        close(expected, scores, case[expected], tolerance)
        equal("top", top(scores, len(case["expected_top"])), case["expected_top"])


def adam_feature(case: dict, params: dict) -> None:
    for kind, expected, tolerances in (
        (torch.float64, "expected_gamma_f64", (0, 1e-9)),
        (torch.float32, "expected_gamma", (1e-6, 0)),
    ):
        found = adam.precondition(*(torch.from_numpy(case[name]).to(kind) for name in "gmv"))
        close(expected, found.numpy(), case[expected], *tolerances)


def tagcos_omp(case: dict, params: dict) -> None:
    pool = InMemoryMatrix(case["pool"].astype(np.float64))
    rows, coefficients = matching_pursuit.orthogonal_matching_pursuit(
        pool, case["target"], params["nnz"], params["lam"], params["tol"], params["positive"]
    )
    equal("indices", rows, case["expected_indices"])
    close("weights", coefficients, case["expected_weights"], 1e-5)
    full = np.zeros(len(case["pool"]))
    full[rows] = coefficients
    close("x", full, case["expected_x"], 1e-5)


def tagcos_select(case: dict, params: dict) -> None:
    rows, _ = clusters.select_as_published(
        InMemoryMatrix(case["X"]),
        case["labels"],
        case["centroids"],
        params.get("ratio", 0.05),
        params["lam"],
        params["tol"],
    )
    equal("selection", rows, case["expected_selection"])


def tagcos_mean_grad(case: dict, params: dict) -> None:
    found = weighted_mean(list(case["G"]), case["checkpoint_weights"])
    if found.dtype != case["expected_mean"].dtype:
        raise Mismatch(f"mean: {found.dtype} instead of {case['expected_mean'].dtype}")
    close("mean", found, case["expected_mean"], 5e-4 if found.dtype == np.float16 else 1e-6)


def gist(case: dict, params: dict) -> None:
    for step, (pool, validation) in enumerate(zip(case["G"], case["V"], strict=True)):
        directions = subspace.basis(validation, params["rank"])
        inside_pool, inside_validation = pool @ directions, validation @ directions
        for name, found in (
            ("expected_val_gram", inside_validation @ inside_validation.T),
            ("expected_train_val_inner", inside_pool @ inside_validation.T),
            ("expected_train_proj_norm", np.linalg.norm(inside_pool, axis=1)),
        ):
            close(name, found, case[name][step], 1e-4 * np.abs(case[name][step]).max())
    scores = subspace.scores(
        list(case["G"]), list(case["V"]), case["checkpoint_weights"], params["rank"], case["subtask_ids"]
    )
    close("scores", scores, case["expected_scores"], 2e-5)
    equal("top", top(scores, len(case["expected_top"])), case["expected_top"])


CHECKS: dict[str, Callable[[dict, dict], None]] = {
    "g2is_official": g2is,
    "less": less,
    "adam_feature": adam_feature,
    "tagcos_omp": tagcos_omp,
    "tagcos_select": tagcos_select,
    "tagcos_mean_grad": tagcos_mean_grad,
    "gist": gist,
}


def check(path: Path) -> str | None:
    """None if the library gives what the file expects, else what differs."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            case = {name: stored[name] for name in stored.files}
        params = json.loads(str(case.pop("params")))
        if params["method"] not in CHECKS:
            return f"method {params['method']!r} is unknown (available: {', '.join(CHECKS)})"
        CHECKS[params["method"]](case, params)
    except Mismatch as mismatch:
        return str(mismatch)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def main(folder: Path) -> int:
    paths = sorted(folder.rglob("*.npz"))
    passed = 0
    for path in paths:
        difference = check(path)
        passed += difference is None
        print(f"{path.relative_to(folder)}: {difference or 'ok'}")
    print(f"{passed} of {len(paths)}")
    return 0 if paths and passed == len(paths) else 1


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python tests/check_golden.py DIR")
    sys.exit(main(Path(sys.argv[1])))
