"""Projected gradients without files, for pools that fit into memory. `compute.fill` is the same for a store."""

from collections.abc import Sequence

import numpy as np

from instruction_selection.features.gradients import parameters, per_sample, projection
from instruction_selection.features.gradients.parameters import Network
from instruction_selection.features.gradients.sketches import Sketches
from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.models import batching
from instruction_selection.models.tokenized_example import TokenizedExample


class RawGradients:
    """Raw gradients of examples with regard to the trainable weights of a network, projected to `dimension` numbers.

    `network` is a causal model, or one with a LoRA adapter, on its device and in evaluation mode. It is changed as by
    `per_sample.Batched`, so it can be used in one object of this class. `seed` determines the projection: gradients can
    be compared with those of the same seed, dimension and weights.
    """

    def __init__(self, network: Network, dimension: int = 8192, seed: int = 0):
        weights = list(parameters.trainable(network).values())
        settings: projection.ProjectionSettings = {"kind": "sjlt", "dimension": dimension, "seed": seed}
        sketch = projection.make(settings, [weight.numel() for weight in weights], weights[0].device)
        self._dimension = dimension
        self._sketches = Sketches(["sgd"], sketch, [])
        self._batched = per_sample.Batched(network, "fp32", self._sketches.add)

    def of(self, examples: Sequence[TokenizedExample], batch_tokens: int = 2048) -> InMemoryMatrix:
        """Those of `examples`, which come from `tokens.encode`; zero where an example has no response token.

        `batch_tokens` bounds a batch, padding included; it changes results by rounding only.
        """
        examples = list(examples)
        rows = np.zeros((len(examples), self._dimension), np.float32)
        for batch in batching.by_length(examples, batching.with_response(examples), batch_tokens):
            self._sketches.start(len(batch))
            self._batched.run([examples[row] for row in batch])
            rows[batch] = self._sketches.finish()["sgd"]
        return InMemoryMatrix.normalised(rows)
