"""Random rows whose responses are as long as the validation rows': a control for what length alone does.

Lengths are in characters of the response, so that no model is needed. The validation rows' lengths are cut into ten
ranges with as many validation rows each; each range gets as many of the rows, drawn uniformly from the pool rows in it.
Where the pool has too few, the rest is drawn uniformly from all other rows, and counted.
"""

import numpy as np

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.selection import Inputs, Selection

#: Ranges of response length, each with as many validation rows.
LENGTH_RANGES = 10


def select(inputs: Inputs, budget: int, rng: np.random.Generator) -> Selection:
    edges = np.quantile(inputs.validation_lengths, np.linspace(0, 1, LENGTH_RANGES + 1))
    pool_range, validation_range = (
        np.clip(np.searchsorted(edges, lengths, side="right") - 1, 0, LENGTH_RANGES - 1)
        for lengths in (inputs.pool_lengths, inputs.validation_lengths)
    )
    wanted = largest_remainder(min(budget, inputs.pool_size), np.bincount(validation_range, minlength=LENGTH_RANGES))
    # Rows shorter or longer than every validation row are in no range.
    pool_range[(inputs.pool_lengths < edges[0]) | (inputs.pool_lengths > edges[-1])] = LENGTH_RANGES
    order = rng.permutation(inputs.pool_size)
    chosen = [order[pool_range[order] == number][:count] for number, count in enumerate(wanted)]
    details = [
        {"shortest": float(low), "longest": float(high), "budget": int(count), "selected": len(rows)}
        for low, high, count, rows in zip(edges[:-1], edges[1:], wanted, chosen, strict=True)
    ]
    chosen = np.concatenate(chosen)
    others = order[~np.isin(order, chosen)][: min(budget, inputs.pool_size) - len(chosen)]
    return Selection(
        rng.permutation(np.concatenate([chosen, others])), {"ranges": details, "of_other_lengths": len(others)}
    )
