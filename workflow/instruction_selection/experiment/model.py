"""Files of config/models and config/encoders."""

from typing import ClassVar

from instruction_selection.experiment.base import About, Count, Entry
from instruction_selection.experiment.sources import EncoderSource, ModelSource


class Model(Entry):
    """A causal language model and where it comes from."""

    FOLDER: ClassVar[str] = "models"

    label: About[str]
    """Name in tables."""
    summary: About[str]
    """One sentence."""
    license: About[str] = "unknown"
    """SPDX identifier or name of the license."""
    parameters: About[Count]
    """Weights. Memory and time that jobs ask of a cluster follow from it."""
    template: str
    """LLaMA-Factory's template for warm-up, gradients and fine-tuning; evaluation gets the same one."""
    source: ModelSource
    """Where the weights come from. Every kind ends as one local safetensors folder."""


class Encoder(Entry):
    """A Sentence-BERT encoder and where it comes from."""

    FOLDER: ClassVar[str] = "encoders"

    label: About[str]
    """Name in tables."""
    summary: About[str]
    """One sentence."""
    license: About[str] = "unknown"
    """SPDX identifier or name of the license."""
    batch_size: About[Count] = 32
    """Texts per batch."""
    source: EncoderSource
    """Where the weights come from."""
