"""Run a selection method and turn its answer into rows of the pool."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from instruction_selection.core import files
from instruction_selection.core.features import GRADIENTS
from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.features import checksummed_hdf5
from instruction_selection.features.checksummed_hdf5 import damage_told
from instruction_selection.features.gradients.store import Reader
from instruction_selection.features.matrix import Rows, Stored
from instruction_selection.selection.contract import Checkpoint, Inputs, Selection
from instruction_selection.selection.run import renamed, run_method
from instruction_selection.selection.walk import diagnostics

#: The methods that every selection is compared with, and what they need.
COMPARED = {"less": ("pool_gradients", "validation_gradients"), "random": ()}
#: Rows of a gradient store among which the share of negative cosines is counted.
SAMPLED_ROWS = 512


def select(
    method: str,
    ratio: float,
    seed: int,
    params: dict,
    pool_path: str,
    validation_paths: list[str],
    feature_paths: dict[str, list[str]],
    earlier_feature_paths: Sequence[dict[str, list[str]]] = (),
    learning_rates: Sequence[float] = (),
    implementation: str | None = None,
    memory_mb: int = 8000,
    made_with: Sequence[dict] = (),
    sized_like: str | None = None,
) -> tuple[list[dict], dict]:
    """The chosen rows of a pool file, in order of choice, and a summary of the choice.

    `validation_paths` has several files for a joint target. `feature_paths` maps each need of the method to its files,
    one per file of rows that it belongs to, `earlier_feature_paths` those of the checkpoints before the last, oldest
    first, and `learning_rates` says what each checkpoint counts. `implementation` is the module that selects, if it is
    not called like the method; the method may use `memory_mb` MiB, beside the pool's text. `made_with` says for each
    checkpoint what features were made with (`checksummed_hdf5.refuse_unless`); without, stores are only compared with
    each other. The budget is floor(ratio * rows in the pool), or what was chosen in the selection whose summary is
    `sized_like`.
    """
    pool = files.read_jsonl(pool_path)
    validation = [files.read_jsonl(path) for path in validation_paths]
    # Parts of a joint target may call their subtasks the same.
    prefixes = [f"{Path(path).parent.name}/" if len(validation_paths) > 1 else "" for path in validation_paths]
    subtasks = [
        np.array([prefix + row["task"] for row in part]) for prefix, part in zip(prefixes, validation, strict=True)
    ]
    # The small number undoes ratios like 0.29, of which 100 rows would make 28.
    budget = int(ratio * len(pool) + 1e-9)
    if budget < 1:
        raise InputError(f"{pool_path}: a ratio of {ratio:g} of {len(pool)} rows is no row.")
    if sized_like:
        budget = files.read_json(sized_like)["selected"]
    *earlier_made_with, last_made_with = made_with or [{}] * (len(earlier_feature_paths) + 1)
    if made_with:
        digests = {"pool": [files.sha256(pool_path)], "validation": list(map(files.sha256, validation_paths))}
    else:
        digests = {}
    features, identities = _read(feature_paths, pool, validation, subtasks, last_made_with, digests)
    inputs = Inputs(len(pool), **features, memory_mb=memory_mb)
    if earlier_feature_paths:
        *weights, inputs.weight = learning_rates
        inputs.earlier = tuple(
            Checkpoint(weight, **_read(paths, pool, validation, subtasks, expected, digests)[0])
            for weight, paths, expected in zip(weights, earlier_feature_paths, earlier_made_with, strict=True)
        )
    result = run_method(implementation or method, inputs, budget, params, seed)
    if not len(result.rows):
        raise InputError(f"{method}: none of the {budget} rows wanted was chosen; its parameters do not fit this pool.")
    return [pool[row] for row in result.rows], {
        **summary(method, ratio, seed, pool, budget, result),
        "sized_like": sized_like,
        "checkpoints": _checkpoints(inputs),
        "not_selectable": int((~inputs.usable()).sum()),
        "overlap": _overlap(method, inputs, budget, seed, result.rows),
        "trace": _trace(inputs, result, params),
        "stores": {
            need: {**identity, **negative_cosines(getattr(inputs, need))} for need, identity in identities.items()
        },
    }


def _checkpoints(inputs: Inputs) -> list[dict]:
    """The weight of each checkpoint whose gradients were read, oldest first; the weights sum to 1."""
    read = [checkpoint for checkpoint in inputs.checkpoints if any(map(checkpoint.given, ("pool_", "validation_")))]
    weights = [checkpoint.weight for checkpoint in read]
    return [{"weight": weight / sum(weights)} for weight in weights]


def _trace(inputs: Inputs, result: Selection, params: dict) -> dict:
    """Of the features of the first need of each side."""
    for kind in ("gradients", "embeddings"):
        pool, validation = getattr(inputs, f"pool_{kind}"), getattr(inputs, f"validation_{kind}")
        if pool is not None and validation is not None:
            # A method with a choice has left what the trace shows.
            return diagnostics.explained_variance_and_similarities(
                pool, validation.at(validation.usable), result.rows, result.details, "centred" not in params
            )
    return {}


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
        "details": renamed(result.details, [row["id"] for row in pool]),
    }


def negative_cosines(rows: Rows) -> dict[str, float | int]:
    """The share of pairs of usable rows whose cosine is below 0, in all pairs of a sample that is always the same."""
    numbers = np.flatnonzero(rows.usable)
    sample = np.random.default_rng(0).permutation(numbers)[:SAMPLED_ROWS]
    unit = rows.take(sample)
    cosines = (unit @ unit.T)[np.triu_indices(len(sample), 1)]
    return {"sampled_pairs": len(cosines), "negative_cosines": float((cosines < 0).mean()) if len(cosines) else None}


def _overlap(method: str, inputs: Inputs, budget: int, seed: int, rows: np.ndarray) -> dict[str, dict]:
    """How many of `rows` other methods choose too, as far as `inputs` has what they need.

    LESS is over the checkpoints that the method itself reads, whose number is told.
    """
    found = {}
    for other, needs in COMPARED.items():
        if other != method and all(getattr(inputs, need) is not None for need in needs):
            seen = Inputs(
                inputs.rows,
                **{need: getattr(inputs, need) for need in needs},
                weight=inputs.weight,
                earlier=inputs.earlier if needs else (),
            )
            shared = len(np.intersect1d(rows, run_method(other, seen, budget, {}, seed).rows))
            found[other] = {"rows": shared, "share": shared / len(rows)}
            if needs:
                found[other]["checkpoints"] = len(inputs.checkpoints)
    return found


def _read(
    paths: dict[str, list[str]],
    pool: list[dict],
    validation: list[list[dict]],
    subtasks: list[np.ndarray],
    made_with: dict,
    digests: dict[str, list[str]],
) -> tuple[dict[str, Rows | np.ndarray], dict[str, dict]]:
    """The features by need, and what the gradient stores say they are.

    `digests` are of the files of the pool's and the target's rows, if stores have to be of them.
    """
    features, stores = {}, {}
    for need, parts in paths.items():
        of_pool = need.startswith("pool_")
        expected = [pool] if of_pool else validation
        if need.endswith("_lengths"):
            features[need] = np.array([len(row["response"]) for part in expected for row in part])
            continue
        found = []
        for number, (path, rows) in enumerate(zip(parts, expected, strict=True)):
            if need in GRADIENTS:
                store = Reader(path)
                stores.setdefault(need, []).append(store)
                identity, ids = store.identity, store.ids
                part = Rows(Stored(store.dataset(GRADIENTS[need]), path), store.norms(GRADIENTS[need]))
                # The store's own judgement: a row may have a gradient and no response.
                part.norms[~store.usable] = 0
            else:
                identity, ids, part = _read_embeddings(path)
            side = need.split("_")[0]
            expected = {**made_with, "rows": digests[side][number]} if digests else {}
            checksummed_hdf5.refuse_unless(path, identity, expected)
            if ids != [row["id"] for row in rows]:
                raise InputError(f"{path}: its rows are not those of the {side} that it is used with.")
            if not of_pool:
                part = Rows(part.unit, part.norms, subtasks[number])
                if not part.usable.any():
                    raise InputError(f"{path}: no validation row has a usable gradient.")
            found.append(part)
        features[need] = sum(found[1:], found[0])
    first, *others = [store for kept in stores.values() for store in kept] or [None]
    for other in others:
        first.refuse_unless_comparable(other)
    return features, {need: kept[0].identity for need, kept in stores.items()}


def _read_embeddings(path: str) -> tuple[dict, list[str], Rows]:
    store = checksummed_hdf5.opened(path)
    with damage_told(path, "id"):
        ids = [name.decode() for name in store["id"][:]]
    rows = Rows(Stored(store["embedding"], path), np.ones(len(ids), np.float32))
    return json.loads(store.attrs["identity"]), ids, rows
