"""Stop a training whose `lora_target` names layers that the model does not have.

LoRA ignores these as long as the model has one of the others, and would train less than the configuration says.
`prepare.prepare` checks the same before any training, but a name may be added when the model is there already.
"""

from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from instruction_selection.core import files
from instruction_selection.training import UNKNOWN_LAYERS


def without_adapter(model: torch.nn.Module) -> list[str]:
    """The names in `lora_target` of a model with an adapter that match none of its layers."""
    adapted = [f".{name}" for name, module in model.named_modules() if hasattr(module, "lora_A")]
    targets = {target for adapter in getattr(model, "peft_config", {}).values() for target in adapter.target_modules}
    return sorted(target for target in targets if not any(name.endswith(f".{target}") for name in adapted))


class StopAtUnknownLayers(TrainerCallback):
    """Stops before the first step. The names go to the file UNKNOWN_LAYERS in the output folder, for the process that
    waits for the training.
    """

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: torch.nn.Module | None = None,
        **others: Any,
    ) -> None:
        if model is not None and (unknown := without_adapter(model)):
            files.write_json(f"{args.output_dir}/{UNKNOWN_LAYERS}", {"layers": unknown})
            raise ValueError(f"lora_target: the model has no {', '.join(unknown)}")
