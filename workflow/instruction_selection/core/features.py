"""The list of features, which every layer reads: what there is of each example, in which file, and what makes it.

A new feature is an entry here and a rule that writes its file; `selection.reading.READERS` needs an entry too if it is
stored in a new way. `make reference` writes the list into docs/add-a-method.md. This module imports nothing, so that
Snakemake and every environment can read it.
"""

from dataclasses import dataclass
from typing import Literal

Side = Literal["pool", "validation"]
#: What a method reads: `rows` are a `FeatureMatrix`, `numbers` an array, `texts` are `Texts`.
Form = Literal["rows", "numbers", "texts"]


@dataclass(frozen=True)
class Feature:
    """One representation of each example of a pool or of a target's validation set."""

    #: Name in a method's `needs` and in `selection.Inputs`.
    name: str
    side: Side
    #: How its file is read: a key of `selection.reading.READERS`.
    reader: str
    #: What it is, for whoever writes a method.
    summary: str
    form: Form = "rows"
    #: Path below an experiment's results, with wildcards; None if the feature is read from the examples themselves.
    file: str | None = None
    #: The rule that makes it; None if there is nothing to make.
    rule: str | None = None
    #: What the rule runs on the examples: `model` is the experiment's, which is tuned; `encoder` is one for all models.
    made_by: Literal["model", "encoder"] | None = None
    #: The dataset in its file.
    dataset: str | None = None
    #: Whether there is one under every checkpoint of the warm-up.
    per_checkpoint: bool = False
    #: Numbers per example, for the estimate; None stands for the dimension of the experiment's gradient projection.
    numbers: int | None = 0
    #: How often its rule runs the model on each example.
    passes: int = 1


#: Of all-MiniLM-L6-v2 and Llama-3.1-8B; other encoders and models are assumed to have as many.
EMBEDDING_NUMBERS, HIDDEN_STATE_NUMBERS = 384, 4096

FEATURES: dict[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature(
            "pool_gradients",
            side="pool",
            reader="gradient_store",
            summary="Adam gradients, projected; `.norms` before scaling to norm 1",
            file="gradients/{model}/{pool}/checkpoint{checkpoint}/pool.h5",
            rule="pool_gradients",
            made_by="model",
            dataset="adam",
            per_checkpoint=True,
            numbers=None,
        ),
        Feature(
            "pool_sgd_gradients",
            side="pool",
            reader="gradient_store",
            summary="raw gradients, projected; needs `sgd` in the experiment's `gradients.pool_kinds`",
            file="gradients/{model}/{pool}/checkpoint{checkpoint}/pool.h5",
            rule="pool_gradients",
            made_by="model",
            dataset="sgd",
            per_checkpoint=True,
            numbers=None,
        ),
        Feature(
            "validation_gradients",
            side="validation",
            reader="gradient_store",
            summary="raw gradients of the validation rows, projected",
            file="gradients/{model}/{pool}/checkpoint{checkpoint}/validation/{target}.h5",
            rule="validation_gradients",
            made_by="model",
            dataset="sgd",
            per_checkpoint=True,
            numbers=None,
        ),
        Feature(
            "pool_embeddings",
            side="pool",
            reader="vectors",
            summary="sentence embeddings; `.norms` are 1",
            file="embeddings/{encoder}/pools/{pool}.h5",
            rule="pool_embeddings",
            made_by="encoder",
            dataset="embedding",
            numbers=EMBEDDING_NUMBERS,
        ),
        Feature(
            "validation_embeddings",
            side="validation",
            reader="vectors",
            summary="sentence embeddings of the validation rows",
            file="embeddings/{encoder}/targets/{target}.h5",
            rule="validation_embeddings",
            made_by="encoder",
            dataset="embedding",
            numbers=EMBEDDING_NUMBERS,
        ),
        Feature(
            "pool_hidden_states",
            side="pool",
            reader="vectors",
            summary="mean last hidden states of the base model; `.norms` are 1",
            file="hidden_states/{model}/pools/{pool}.h5",
            rule="pool_hidden_states",
            made_by="model",
            dataset="embedding",
            numbers=HIDDEN_STATE_NUMBERS,
        ),
        Feature(
            "validation_hidden_states",
            side="validation",
            reader="vectors",
            summary="mean last hidden states of the validation rows",
            file="hidden_states/{model}/targets/{target}.h5",
            rule="validation_hidden_states",
            made_by="model",
            dataset="embedding",
            numbers=HIDDEN_STATE_NUMBERS,
        ),
        Feature(
            "pool_gradient_losses",
            side="pool",
            reader="gradient_losses",
            summary="float32 (N,), mean loss per response token after the warm-up",
            form="numbers",
            file="gradients/{model}/{pool}/checkpoint{checkpoint}/pool.h5",
            rule="pool_gradients",
            made_by="model",
            dataset="loss",
            per_checkpoint=True,
            numbers=2,
        ),
        Feature(
            "pool_losses",
            side="pool",
            reader="numbers",
            summary="float32 (N, 2), mean loss per response token of the base model, with the instruction and without",
            form="numbers",
            file="losses/{model}/pools/{pool}.h5",
            rule="pool_losses",
            made_by="model",
            dataset="losses",
            numbers=4,
            passes=2,
        ),
        Feature(
            "pool_text",
            side="pool",
            reader="text",
            summary="instruction and response of each example, read one at a time",
            form="texts",
        ),
        Feature(
            "validation_text",
            side="validation",
            reader="text",
            summary="instruction and response of each validation row",
            form="texts",
        ),
        Feature(
            "pool_lengths",
            side="pool",
            reader="response_lengths",
            summary="int64 (N,), characters of the response",
            form="numbers",
        ),
        Feature(
            "validation_lengths",
            side="validation",
            reader="response_lengths",
            summary="int64 (N,), characters of a validation row's response",
            form="numbers",
        ),
    )
}
