"""The weights whose gradients are stored: a LoRA adapter's, or the whole model's, in one fixed order.

The order is that of the trainer's optimizer, so that its moments can be matched to names.
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

    `warmup` is a folder with a LoRA adapter of `model`, or with a whole model. Only the adapter's weights, or all those
    of the model, are trainable.
    """
    if not _is_adapter(warmup):
        # The base model's configuration, because the trainer writes its tokenizer's padding token into the new one and
        # torch gives the embedding of the padding token no gradient.
        config = AutoConfig.from_pretrained(model, local_files_only=True)
        network = AutoModelForCausalLM.from_pretrained(
            warmup, config=config, dtype=torch.float32, local_files_only=True
        )
    else:
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, local_files_only=True)
        network = PeftModel.from_pretrained(base, warmup, is_trainable=True)
    return network.to(device).eval()  # pyright: ignore[reportArgumentType] (`to` is wrapped, and loses `self`)


def trainable(network: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The trainable parameters by name (without the adapter's own name).

    The order is that of transformers' Trainer: first those with weight decay, then the others.
    """
    # The rule needs no trainer that was set up.
    decayed = set(Trainer.__new__(Trainer).get_decay_parameter_names(network))
    named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    named.sort(key=lambda entry: entry[0] not in decayed)
    return {name.replace(".default.", "."): parameter for name, parameter in named}


def shapes(model: str | Path, warmup: str | Path) -> dict[str, torch.Size]:
    """Names and shapes as in `trainable`, without loading weights."""
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model, local_files_only=True))
        if _is_adapter(warmup):
            config = LoraConfig.from_pretrained(str(warmup))
            config.inference_mode = False
            network = get_peft_model(network, config)
        return {name: parameter.shape for name, parameter in trainable(network).items()}


def order_hash(named_shapes: dict[str, torch.Size]) -> str:
    """A hash of names, shapes and order; projected gradients are comparable only if it is the same."""
    text = json.dumps([[name, list(shape)] for name, shape in named_shapes.items()])
    return hashlib.sha256(text.encode()).hexdigest()


def _is_adapter(folder: str | Path) -> bool:
    return (Path(folder) / "adapter_config.json").is_file()
