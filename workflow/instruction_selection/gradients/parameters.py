"""The trainable parameters of a LoRA model, in the order that every part of the store relies on."""

import hashlib
import json
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM


def load(model: str | Path, adapter: str | Path, device: torch.device) -> PeftModel:
    """Base model and adapter in fp32, evaluation mode (no dropout)."""
    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, local_files_only=True)
    return PeftModel.from_pretrained(base, adapter, is_trainable=True).to(device).eval()


def trainable(model: PeftModel) -> dict[str, torch.nn.Parameter]:
    """Name, without the adapter's own name, to parameter; in the order in which an optimizer numbers them."""
    return {
        name.replace(".default.", "."): parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def shapes(model: str | Path, adapter: str | Path) -> dict[str, torch.Size]:
    """Names and shapes of `trainable`, without loading weights."""
    with torch.device("meta"):
        base = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model, local_files_only=True))
        config = LoraConfig.from_pretrained(str(adapter))
        config.inference_mode = False
        return {name: parameter.shape for name, parameter in trainable(get_peft_model(base, config)).items()}


def order_hash(named_shapes: dict[str, torch.Size]) -> str:
    """Changes whenever a name, a shape or the order does: then projected rows cannot be compared."""
    text = json.dumps([[name, list(shape)] for name, shape in named_shapes.items()])
    return hashlib.sha256(text.encode()).hexdigest()
