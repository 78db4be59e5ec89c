"""Base models: their files, and their templates and tokens as LLaMA-Factory has them. Knows `core` and `data`."""

from instruction_selection.core.missing import stand_in_for

#: How LLaMA-Factory finds the fields of an example.
LLAMAFACTORY_COLUMNS = {"prompt": "instruction", "response": "response"}

# LLaMA-Factory imports torchaudio for its multimodal models, but torchaudio does not load with a CPU-only torch.
stand_in_for("torchaudio", "text models do not use it")
