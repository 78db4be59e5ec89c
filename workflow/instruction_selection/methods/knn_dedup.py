"""Nearest neighbours of the validation rows among sentence embeddings, without near-duplicates.

An example's score is its mean cosine with the `neighbours` validation rows that are most similar to it. From the
highest score down, an example is chosen unless its cosine with one that was chosen before is above 1 - `epsilon`.

This is the criterion of SemDeDup (Abbas et al. 2023). SemDeDup compares within clusters of the whole pool and keeps the
example furthest from its cluster's centre; here every candidate is compared with all that was chosen, so that no two
examples of a selection are near-duplicates. Where too few others are left, fewer are chosen.
"""

import numpy as np

from instruction_selection.core.parameters import Count, ProperShare
from instruction_selection.features.matrix import BLOCK, FeatureMatrix
from instruction_selection.selection import Inputs, Selection


def select(
    inputs: Inputs, budget: int, rng: np.random.Generator, *, neighbours: Count, epsilon: ProperShare
) -> Selection:
    pool, validation = inputs.pool_embeddings, inputs.validation_embeddings.unit
    closest = min(neighbours, len(validation))
    scores = np.concatenate([np.sort(rows @ validation.T, axis=1)[:, -closest:].mean(1) for _, rows in pool.blocks()])
    chosen, skipped = _without_duplicates(pool, np.argsort(-scores, kind="stable"), budget, 1 - epsilon)
    return Selection(chosen, {"duplicates": skipped})


def _without_duplicates(pool: FeatureMatrix, order: np.ndarray, budget: int, highest: float) -> tuple[np.ndarray, int]:
    """The first `budget` rows of `order` whose cosines with those before are at most `highest`; how many were not."""
    kept: list[int] = []
    rows = np.empty((min(budget, len(order)), pool.shape[1]), pool.dtype)
    for start in range(0, len(order), BLOCK):
        block = pool.take(order[start : start + BLOCK])
        similar = (block @ rows[: len(kept)].T).max(axis=1, initial=-1) > highest
        among = block @ block.T > highest
        new: list[int] = []
        for place in range(len(block)):
            if not (similar[place] or among[place, new].any()):
                rows[len(kept)] = block[place]
                kept.append(start + place)
                new.append(place)
                if len(kept) == budget:
                    return order[kept], start + place + 1 - budget
    return order[kept], len(order) - len(kept)
