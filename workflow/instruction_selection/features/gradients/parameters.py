"""The weights whose gradients are kept: a LoRA adapter's, or the whole model's, in one fixed order.

The order is that in which the trainer's optimizer numbers them, so that its moments can be found by name.
"""

import hashlib
import json
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, Trainer

Network = PreTrainedModel | PeftModel


def load(model: str | Path, warmup: str | Path, device: torch.device) -> Network:
    """The model after its warm-up, in fp32 and evaluation mode (no dropout).

    `warmup` is a LoRA adapter of `model`, whose weights are then the trainable ones, or a whole model.
    """
    if not _is_adapter(warmup):
        # The trainer writes its tokenizer's padding token into the configuration, and torch gives the embedding of the
        # padding token no gradient; the model was trained with the one that it had before.
        config = AutoConfig.from_pretrained(model, local_files_only=True)
        network = AutoModelForCausalLM.from_pretrained(
            warmup, config=config, dtype=torch.float32, local_files_only=True
        )
    else:
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, local_files_only=True)
        network = PeftModel.from_pretrained(base, warmup, is_trainable=True)
    return network.to(device).eval()


def trainable(network: Network) -> dict[str, torch.nn.Parameter]:
    """Name, without an adapter's own name, to parameter.

    As in transformers' Trainer: first those that weight decay applies to, then the others.
    """
    decayed = set(Trainer.get_decay_parameter_names(None, network))
    named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    named.sort(key=lambda entry: entry[0] not in decayed)
    return {name.replace(".default.", "."): parameter for name, parameter in named}


def shapes(model: str | Path, warmup: str | Path) -> dict[str, torch.Size]:
    """Names and shapes of `trainable`, without loading weights."""
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model, local_files_only=True))
        if _is_adapter(warmup):
            config = LoraConfig.from_pretrained(str(warmup))
            config.inference_mode = False
            network = get_peft_model(network, config)
        return {name: parameter.shape for name, parameter in trainable(network).items()}


def order_hash(named_shapes: dict[str, torch.Size]) -> str:
    """Changes whenever a name, a shape or the order does: then projected rows cannot be compared."""
    text = json.dumps([[name, list(shape)] for name, shape in named_shapes.items()])
    return hashlib.sha256(text.encode()).hexdigest()


def _is_adapter(folder: str | Path) -> bool:
    return (Path(folder) / "adapter_config.json").is_file()
