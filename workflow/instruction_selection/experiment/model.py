"""Files of config/models and config/encoders."""

from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from instruction_selection.experiment.base import About, Count, Entry, Execution, Label
from instruction_selection.experiment.sources import EncoderSource, ModelSource, Source

#: No language model has fewer, and who writes 16 means billions.
Weights = Annotated[int, Field(ge=10_000)]


class Model(Entry):
    """A causal language model and where it comes from."""

    FOLDER: ClassVar[str] = "models"

    label: About[Label]
    """Name in tables."""
    summary: About[str]
    """One sentence."""
    license: About[str] = "unknown"
    """SPDX identifier or name of the license."""
    parameters: Execution[Weights]
    """Weights, as a whole number: 8030261248, not 8 (billion). Memory and time that jobs ask of a cluster follow from
    it."""
    architecture: Execution[dict[str, JsonValue] | None] = None
    """Sizes of its layers, from which `snakemake estimate` predicts GPU memory: arguments of transformers'
    AutoConfig.for_model with model_type, as in the model's config.json. Random weights have theirs in `source`; of a
    folder, and of a model that is prepared, its config.json is read."""
    template: str
    """How a row becomes tokens in warm-up, gradients and fine-tuning: a template of LLaMA-Factory, or one of this
    workflow's own. `tokenizer` is the model's own chat template, `alpaca_bos` is for base models (`alpaca` with the
    model's beginning-of-sequence token), and `smollm_eot` is for SmolLM2 (ChatML); these end at the end of the answer's
    turn. The harness asks in the same form
    with `evaluation.chat_template`, and in plain text without; its prompts begin with the same token."""
    source: ModelSource
    """Where the weights come from. Every kind ends as one local safetensors folder."""

    def sources(self) -> dict[str, Source]:
        """Where its files come from, by the key that says so."""
        return {"source": self.source}


class Encoder(Entry):
    """A Sentence-BERT encoder and where it comes from."""

    FOLDER: ClassVar[str] = "encoders"

    label: About[Label]
    """Name in tables."""
    summary: About[str]
    """One sentence."""
    license: About[str] = "unknown"
    """SPDX identifier or name of the license."""
    batch_size: Execution[Count] = 32
    """Texts per batch."""
    source: EncoderSource
    """Where the weights come from."""

    def sources(self) -> dict[str, Source]:
        """Where its files come from, by the key that says so."""
        return {"source": self.source}
