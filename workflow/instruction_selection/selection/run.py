"""Run a method on arrays and check what it returns."""

import importlib

import numpy as np

from instruction_selection.core.entry_names import module_name
from instruction_selection.selection.contract import Inputs, Selection


def run_method(implementation: str, inputs: Inputs, budget: int, params: dict, seed: int) -> Selection:
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
    return Selection(numbers[result.rows], renamed(result.details, numbers.tolist()))


def _run(implementation: str, inputs: Inputs, budget: int, params: dict, seed: int) -> Selection:
    name = module_name(implementation)
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


def renamed(details, names: list):
    """`details` with every row number under the key `anchor` replaced by its entry in `names`."""
    if isinstance(details, dict):
        return {
            key: names[value] if key == "anchor" and value is not None else renamed(value, names)
            for key, value in details.items()
        }
    return [renamed(entry, names) for entry in details] if isinstance(details, list) else details
