"""Run a selection method and turn its answer into rows of the pool."""

import importlib
from dataclasses import dataclass, field

import h5py
import numpy as np

from instruction_selection import files
from instruction_selection.config import method_module
from instruction_selection.errors import InputError
from instruction_selection.gradients.store import Reader

#: Which rows of a gradient store a need reads.
KINDS = {"pool_gradients": "adam", "validation_gradients": "sgd"}


@dataclass
class Rows:
    """Feature rows of a pool or of a target.

    `unit` is float32 (N, D) with rows of norm 1, `norms` float32 (N,) what they were scaled by, `subtasks` (N,)
    names, for validation rows only.
    """

    unit: np.ndarray
    norms: np.ndarray
    subtasks: np.ndarray | None = None


@dataclass
class Inputs:
    """What a method may look at: the number of pool rows, and what its config file says that it needs."""

    rows: int
    pool_gradients: Rows | None = None
    validation_gradients: Rows | None = None
    pool_embeddings: Rows | None = None
    validation_embeddings: Rows | None = None


@dataclass
class Selection:
    """Row numbers in the order chosen, without repetition, and what the method has to tell about them."""

    rows: np.ndarray
    details: dict = field(default_factory=dict)


def run(method: str, inputs: Inputs, budget: int, params: dict, seed: int) -> Selection:
    """Run methods/`method`.py on arrays and check what it returns.

    At most `budget` rows; fewer only if the method cannot give more. Ties of scores go to the lower row.
    """
    module = importlib.import_module(f"instruction_selection.methods.{method_module(method)}")
    rng = np.random.default_rng(seed)
    if hasattr(module, "score"):
        scores = np.asarray(module.score(inputs, params, rng), dtype=np.float32)
        if scores.shape != (inputs.rows,) or not np.isfinite(scores).all():
            raise ValueError(f"{method}: score must return {inputs.rows} finite numbers, not {scores.shape}.")
        result = Selection(np.argsort(-scores, kind="stable")[:budget])
    else:
        result = module.select(inputs, budget, params, rng)
    rows = result.rows = np.asarray(result.rows, dtype=np.int64)
    if len(rows) > budget or len(np.unique(rows)) != len(rows) or not np.isin(rows, np.arange(inputs.rows)).all():
        raise ValueError(f"{method}: select must return at most {budget} different rows below {inputs.rows}.")
    return result


def select(
    method: str,
    ratio: float,
    seed: int,
    params: dict,
    pool_path: str,
    validation_path: str | None,
    feature_paths: dict[str, str],
) -> tuple[list[dict], dict]:
    """The chosen rows of a pool file, in order of choice, and a summary of the choice.

    `feature_paths` maps each need of the method to its file. The budget is floor(ratio * rows in the pool).
    """
    pool = files.read_jsonl(pool_path)
    validation = files.read_jsonl(validation_path) if validation_path else []
    features, usable, identities = _read(feature_paths, pool, validation)
    selectable = np.flatnonzero(usable)
    # The small number undoes ratios like 0.29, of which 100 rows would make 28.
    budget = int(ratio * len(pool) + 1e-9)
    if budget < 1:
        raise InputError(f"{pool_path}: a ratio of {ratio:g} of {len(pool)} rows is no row.")
    inputs = Inputs(
        rows=len(selectable),
        **{
            name: Rows(rows.unit[selectable], rows.norms[selectable]) if name.startswith("pool_") else rows
            for name, rows in features.items()
        },
    )
    result = run(method, inputs, budget, params, seed)
    chosen = [pool[row] for row in selectable[result.rows]]
    tasks: dict[str, int] = {}
    for row in chosen:
        tasks[row["task"]] = tasks.get(row["task"], 0) + 1
    return chosen, {
        "method": method,
        "ratio": ratio,
        "seed": seed,
        "pool_rows": len(pool),
        "not_selectable": len(pool) - len(selectable),
        "budget": budget,
        "selected": len(chosen),
        "shortfall": budget - len(chosen),
        "tasks": dict(sorted(tasks.items())),
        "details": result.details,
        "stores": identities,
    }


def _read(paths: dict[str, str], pool: list[dict], validation: list[dict]) -> tuple[dict[str, Rows], np.ndarray, dict]:
    """Features by need, a mask of the pool rows that may be chosen, and what the gradient stores say they are."""
    features, stores = {}, {}
    usable = np.ones(len(pool), dtype=bool)
    for need, path in paths.items():
        expected = pool if need.startswith("pool_") else validation
        if need.endswith("_gradients"):
            store = stores[need] = Reader(path)
            kind = KINDS[need]
            ids, rows, mask = store.ids, Rows(store.unit(kind), store.norms(kind)), store.usable
        else:
            ids, rows = _read_embeddings(path)
            mask = np.ones(len(ids), dtype=bool)
        if ids != [row["id"] for row in expected]:
            raise InputError(f"{path}: its rows are not those of the {need.split('_')[0]} that it is used with.")
        if need.startswith("pool_"):
            usable &= mask
        else:
            if not mask.any():
                raise InputError(f"{path}: no validation row has a usable gradient.")
            subtasks = np.array([row["task"] for row in validation])
            rows = Rows(rows.unit[mask], rows.norms[mask], subtasks[mask])
        features[need] = rows
    if len(stores) == 2:
        stores["pool_gradients"].refuse_unless_comparable(stores["validation_gradients"])
    return features, usable, {need: store.identity for need, store in stores.items()}


def _read_embeddings(path: str) -> tuple[list[str], Rows]:
    with h5py.File(path, "r") as store:
        unit = store["embedding"][:]
        return [name.decode() for name in store["id"][:]], Rows(unit, np.ones(len(unit), np.float32))
