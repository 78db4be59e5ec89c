"""Projected gradients of a few examples, as a matrix in memory and without a store: for notebooks and scripts."""

import numpy as np

from instruction_selection.features.gradients import parameters, per_sample, projection
from instruction_selection.features.gradients.parameters import Network
from instruction_selection.features.gradients.sketches import Sketches
from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.models.tokens import TokenizedExample


def projected(
    network: Network, examples: list[TokenizedExample], dimension: int, seed: int = 0, batch_tokens: int = 4096
) -> InMemoryMatrix:
    """Raw gradients of the trainable weights of `network`, (examples, `dimension`), with their norms.

    The projection is the sparse one of the workflow; only gradients of the same weights, dimension and seed can be
    compared. Examples without a response token get a zero row, which no method selects. `network` gets hooks and frozen
    weights (`per_sample.Batched`), so it can be used once: pass pool and validation examples together.
    """
    network.eval()
    sizes = [weight.numel() for weight in parameters.trainable(network).values()]
    device = next(network.parameters()).device
    made = projection.make({"kind": "sjlt", "dimension": dimension, "seed": seed}, sizes, device)
    sketches = Sketches(["sgd"], made, [])
    batched = per_sample.Batched(network, "fp32", sketches.add)
    result = np.zeros((len(examples), dimension), np.float32)
    for batch in per_sample.batches(examples, batch_tokens):
        sketches.start(len(batch))
        batched.run([examples[row] for row in batch])
        result[batch] = sketches.finish()["sgd"]
    return InMemoryMatrix.normalised(result)
