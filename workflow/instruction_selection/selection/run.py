"""Run a method on arrays and check what it returns."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from instruction_selection.core.entry_names import module_name
from instruction_selection.selection.contract import Inputs, Selection


def run_method(implementation: str, inputs: Inputs, budget: int, params: Mapping[str, Any], seed: int) -> Selection:
    """Run methods/`implementation`.py on `inputs` and check what it returns.

    At most `budget` examples; fewer only if the method cannot give more. Ties of scores go to the lower index. Examples
    that cannot be used are kept from the method.
    """
    inputs = inputs.without_unusable_validation_examples()
    usable = inputs.usable()
    if usable.all():
        return _run(implementation, inputs, budget, params, seed)
    indices = np.flatnonzero(usable)
    result = _run(implementation, inputs.at(indices), budget, params, seed)
    scores = None
    if result.scores is not None:
        scores = np.full(len(usable), np.nan, np.float32)
        scores[indices] = result.scores
    details = renamed(result.details, indices.tolist())
    return replace(result, indices=indices[result.indices], details=details, scores=scores)


def _run(implementation: str, inputs: Inputs, budget: int, params: Mapping[str, Any], seed: int) -> Selection:
    name = module_name(implementation)
    module = importlib.import_module(f"instruction_selection.methods.{name}")
    rng = np.random.default_rng(seed)
    if hasattr(module, "score"):
        scores = np.asarray(module.score(inputs, rng, **params), dtype=np.float32)
        if scores.shape != (inputs.pool_size,) or not np.isfinite(scores).all():
            raise ValueError(f"{name}: score must return {inputs.pool_size} finite numbers, not {scores.shape}.")
        result = Selection(np.argsort(-scores, kind="stable")[:budget], scores=scores)
    else:
        result = module.select(inputs, budget, rng, **params)
    chosen = result.indices = np.asarray(result.indices, dtype=np.int64)
    in_pool = ((chosen >= 0) & (chosen < inputs.pool_size)).all()
    if len(chosen) > budget or len(np.unique(chosen)) != len(chosen) or not in_pool:
        raise ValueError(f"{name}: select must return at most {budget} different indices below {inputs.pool_size}.")
    return result


def renamed(details: Any, names: Sequence) -> Any:
    """`details` with every index under the key `anchor` replaced by its entry in `names`."""
    if isinstance(details, dict):
        return {
            key: names[value] if key == "anchor" and value is not None else renamed(value, names)
            for key, value in details.items()
        }
    return [renamed(entry, names) for entry in details] if isinstance(details, list) else details
