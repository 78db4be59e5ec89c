"""What methods read, by name."""

from typing import Literal

Feature = Literal[
    "pool_gradients",
    "pool_sgd_gradients",
    "validation_gradients",
    "pool_embeddings",
    "validation_embeddings",
    "pool_hidden_states",
    "validation_hidden_states",
    "pool_lengths",
    "validation_lengths",
]
#: Which rows of a gradient store a feature reads.
GRADIENTS = {"pool_gradients": "adam", "pool_sgd_gradients": "sgd", "validation_gradients": "sgd"}
#: Features that depend on the model.
NEEDS_MODEL = {
    "pool_gradients",
    "pool_sgd_gradients",
    "validation_gradients",
    "pool_hidden_states",
    "validation_hidden_states",
}
