"""Run a selection method and turn its answer into rows of the pool."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import h5py
import numpy as np

from instruction_selection import files
from instruction_selection.config import KINDS, method_module
from instruction_selection.errors import InputError
from instruction_selection.gradients.store import Reader

#: The methods that every selection is compared with, and what they need.
COMPARED = {"less": ("pool_gradients", "validation_gradients"), "random": ()}
#: Rows of a gradient store among which the share of negative cosines is counted.
SAMPLED_ROWS = 512


@dataclass
class Rows:
    """Feature rows of a pool or of a target.

    `unit` is float32 (N, D) with rows of norm 1, `norms` float32 (N,) what they were scaled by, `subtasks` (N,)
    names, for validation rows only. A row whose norm is zero or not finite cannot be used.
    """

    unit: np.ndarray
    norms: np.ndarray
    subtasks: np.ndarray | None = None

    @classmethod
    def of(cls, features: np.ndarray, subtasks: Sequence[str] | None = None) -> "Rows":
        """From an (N, D) array that is not scaled; without `subtasks`, all rows are of one."""
        features = np.asarray(features, dtype=np.float32)
        norms = np.linalg.norm(features, axis=1)
        usable = np.isfinite(norms) & (norms > 0)
        unit = np.divide(features, norms[:, None], out=np.zeros_like(features), where=usable[:, None])
        names = np.repeat("all", len(features)) if subtasks is None else np.asarray(subtasks)
        return cls(unit, np.where(usable, norms, 0), names)

    @property
    def usable(self) -> np.ndarray:
        """bool (N,)"""
        return np.isfinite(self.norms) & (self.norms > 0)

    def at(self, numbers: np.ndarray) -> "Rows":
        subtasks = None if self.subtasks is None else self.subtasks[numbers]
        return Rows(self.unit[numbers], self.norms[numbers], subtasks)


@dataclass
class Inputs:
    """What a method may look at: the number of pool rows, and what its config file says that it needs.

    Lengths are int64 (N,), in characters of the response.
    """

    rows: int
    pool_gradients: Rows | None = None
    pool_sgd_gradients: Rows | None = None
    validation_gradients: Rows | None = None
    pool_embeddings: Rows | None = None
    validation_embeddings: Rows | None = None
    pool_hidden_states: Rows | None = None
    validation_hidden_states: Rows | None = None
    pool_lengths: np.ndarray | None = None
    validation_lengths: np.ndarray | None = None

    def _given(self, side: str) -> dict[str, Rows | np.ndarray]:
        found = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name.startswith(side)}
        return {name: value for name, value in found.items() if value is not None}

    def usable(self) -> np.ndarray:
        """bool (N,): pool rows all of whose features can be used."""
        masks = [value.usable for value in self._given("pool_").values() if isinstance(value, Rows)]
        return np.logical_and.reduce([np.ones(self.rows, dtype=bool), *masks])

    def at(self, numbers: np.ndarray) -> "Inputs":
        """Of a pool that has only the rows `numbers`, in that order."""
        given = self._given("pool_").items()
        kept = {name: value.at(numbers) if isinstance(value, Rows) else value[numbers] for name, value in given}
        return replace(self, rows=len(numbers), **kept)

    def without_unusable_validation_rows(self) -> "Inputs":
        given = {name: value for name, value in self._given("validation_").items() if isinstance(value, Rows)}
        for name, value in given.items():
            if not value.usable.any():
                raise InputError(f"No validation row can be used: all {name.replace('_', ' ')} are zero or not finite.")
        return replace(
            self, **{name: value.at(value.usable) for name, value in given.items() if not value.usable.all()}
        )


@dataclass
class Selection:
    """Row numbers in the order chosen, without repetition, and what the method has to tell about them.

    In `details`, at any depth, a row of the pool stands by its number under the key `anchor`.
    """

    rows: np.ndarray
    details: dict = field(default_factory=dict)


def run(implementation: str, inputs: Inputs, budget: int, params: dict, seed: int) -> Selection:
    """Run methods/`implementation`.py on arrays and check what it returns.

    At most `budget` rows; fewer only if the method cannot give more. Ties of scores go to the lower row. Rows that
    cannot be used are kept from the method.
    """
    inputs = inputs.without_unusable_validation_rows()
    usable = inputs.usable()
    if usable.all():
        return _run(implementation, inputs, budget, params, seed)
    numbers = np.flatnonzero(usable)
    result = _run(implementation, inputs.at(numbers), budget, params, seed)
    return Selection(numbers[result.rows], _renamed(result.details, numbers.tolist()))


def _run(implementation: str, inputs: Inputs, budget: int, params: dict, seed: int) -> Selection:
    name = method_module(implementation)
    module = importlib.import_module(f"instruction_selection.methods.{name}")
    rng = np.random.default_rng(seed)
    if hasattr(module, "score"):
        scores = np.asarray(module.score(inputs, params, rng), dtype=np.float32)
        if scores.shape != (inputs.rows,) or not np.isfinite(scores).all():
            raise ValueError(f"{name}: score must return {inputs.rows} finite numbers, not {scores.shape}.")
        result = Selection(np.argsort(-scores, kind="stable")[:budget])
    else:
        result = module.select(inputs, budget, params, rng)
    rows = result.rows = np.asarray(result.rows, dtype=np.int64)
    if len(rows) > budget or len(np.unique(rows)) != len(rows) or not np.isin(rows, np.arange(inputs.rows)).all():
        raise ValueError(f"{name}: select must return at most {budget} different rows below {inputs.rows}.")
    return result


def _renamed(details, names: list):
    """`details` with every row number under the key `anchor` replaced by its entry in `names`."""
    if isinstance(details, dict):
        return {
            key: names[value] if key == "anchor" and value is not None else _renamed(value, names)
            for key, value in details.items()
        }
    return [_renamed(entry, names) for entry in details] if isinstance(details, list) else details


def select(
    method: str,
    ratio: float,
    seed: int,
    params: dict,
    pool_path: str,
    validation_path: str | None,
    feature_paths: dict[str, str],
    implementation: str | None = None,
) -> tuple[list[dict], dict]:
    """The chosen rows of a pool file, in order of choice, and a summary of the choice.

    `feature_paths` maps each need of the method to its file; `implementation` is the module that selects, if it is not
    called like the method. The budget is floor(ratio * rows in the pool).
    """
    pool = files.read_jsonl(pool_path)
    validation = files.read_jsonl(validation_path) if validation_path else []
    # The small number undoes ratios like 0.29, of which 100 rows would make 28.
    budget = int(ratio * len(pool) + 1e-9)
    if budget < 1:
        raise InputError(f"{pool_path}: a ratio of {ratio:g} of {len(pool)} rows is no row.")
    inputs, identities = _read(feature_paths, pool, validation)
    result = run(implementation or method, inputs, budget, params, seed)
    if not len(result.rows):
        raise InputError(f"{method}: none of the {budget} rows wanted was chosen; its parameters do not fit this pool.")
    return [pool[row] for row in result.rows], {
        **summary(method, ratio, seed, pool, budget, result),
        "not_selectable": int((~inputs.usable()).sum()),
        "overlap": _overlap(method, inputs, budget, seed, result.rows),
        "stores": {
            need: {**identity, **negative_cosines(getattr(inputs, need))} for need, identity in identities.items()
        },
    }


def summary(method: str, ratio: float, seed: int, pool: list[dict], budget: int, result: Selection) -> dict:
    """What `selection.json` tells of every selection."""
    tasks: dict[str, int] = {}
    for row in result.rows:
        tasks[pool[row]["task"]] = tasks.get(pool[row]["task"], 0) + 1
    return {
        "method": method,
        "ratio": ratio,
        "seed": seed,
        "pool_rows": len(pool),
        "budget": budget,
        "selected": len(result.rows),
        "shortfall": budget - len(result.rows),
        "tasks": dict(sorted(tasks.items())),
        "details": _renamed(result.details, [row["id"] for row in pool]),
    }


def negative_cosines(rows: Rows) -> dict[str, float | int]:
    """The share of pairs of usable rows whose cosine is below 0, in all pairs of a sample that is always the same."""
    numbers = np.flatnonzero(rows.usable)
    sample = np.random.default_rng(0).permutation(numbers)[:SAMPLED_ROWS]
    cosines = (rows.unit[sample] @ rows.unit[sample].T)[np.triu_indices(len(sample), 1)]
    return {"sampled_pairs": len(cosines), "negative_cosines": float((cosines < 0).mean()) if len(cosines) else None}


def _overlap(method: str, inputs: Inputs, budget: int, seed: int, rows: np.ndarray) -> dict[str, dict]:
    """How many of `rows` other methods choose too, as far as `inputs` has what they need."""
    found = {}
    for other, needs in COMPARED.items():
        if other != method and all(getattr(inputs, need) is not None for need in needs):
            seen = Inputs(inputs.rows, **{need: getattr(inputs, need) for need in needs})
            shared = len(np.intersect1d(rows, run(other, seen, budget, {}, seed).rows))
            found[other] = {"rows": shared, "share": shared / len(rows)}
    return found


def _read(paths: dict[str, str], pool: list[dict], validation: list[dict]) -> tuple[Inputs, dict[str, dict]]:
    """The features by need, and what the gradient stores say they are."""
    features, stores = {}, {}
    for need, path in paths.items():
        expected = pool if need.startswith("pool_") else validation
        if need.endswith("_lengths"):
            features[need] = np.array([len(row["response"]) for row in expected])
            continue
        if need in KINDS:
            store = stores[need] = Reader(path)
            ids, rows = store.ids, Rows(store.unit(KINDS[need]), store.norms(KINDS[need]))
            # The store's own judgement: a row may have a gradient and no response.
            rows.norms[~store.usable] = 0
        else:
            ids, rows = _read_embeddings(path)
        if ids != [row["id"] for row in expected]:
            raise InputError(f"{path}: its rows are not those of the {need.split('_')[0]} that it is used with.")
        if need.startswith("validation_"):
            if not rows.usable.any():
                raise InputError(f"{path}: no validation row has a usable gradient.")
            rows.subtasks = np.array([row["task"] for row in validation])
        features[need] = rows
    for other in list(stores.values())[1:]:
        next(iter(stores.values())).refuse_unless_comparable(other)
    return Inputs(len(pool), **features), {need: store.identity for need, store in stores.items()}


def _read_embeddings(path: str) -> tuple[list[str], Rows]:
    with h5py.File(path, "r") as store:
        unit = store["embedding"][:]
        return [name.decode() for name in store["id"][:]], Rows(unit, np.ones(len(unit), np.float32))
