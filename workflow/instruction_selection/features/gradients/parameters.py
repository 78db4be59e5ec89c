"""The weights whose gradients are stored: a LoRA adapter's, or the whole model's, in one fixed order.

The order is that of the trainer's optimizer, so that its moments can be matched to names.
"""

import hashlib
import json
from pathlib import Path

import torch
from peft import PeftConfig, PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel, Trainer

from instruction_selection.models import skeleton
from instruction_selection.models.placement import Placement

Network = PreTrainedModel | PeftModel


#: Weights that are not an adapter's, by the experiment's `gradients.precision`.
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def load(model: str | Path, warmup: str | Path, device: torch.device | Placement, precision: str) -> Network:
    """The model after its warm-up, in evaluation mode (no dropout), each tensor read straight to `device`.

    With a placement on several devices, hooks of accelerate take what a layer reads to the layer's device. `warmup` is
    a folder with a LoRA adapter of `model`, or with a whole model. Only the adapter's weights, or all those of the
    model, are trainable. `precision` is a key of `DTYPES`; an adapter's weights are float32 in any case.
    """
    if not _is_adapter(warmup):
        # The base model's configuration, because the trainer writes its tokenizer's padding token into the new one and
        # torch gives the embedding of the padding token no gradient.
        config = AutoConfig.from_pretrained(model, local_files_only=True)
        network = _read(warmup, device, precision, config=config)
    else:
        base = _read(model, device, precision)
        # An adapter is read on the CPU, and copied into weights that are where their layers are.
        network = PeftModel.from_pretrained(base, warmup, is_trainable=True, torch_device="cpu")
    return network.eval()


def _read(
    folder: str | Path, device: torch.device | Placement, precision: str, config: PretrainedConfig | None = None
) -> PreTrainedModel:
    # With a device map, no tensor but the one that is being read is in host memory.
    placed = {"": device} if isinstance(device, torch.device) else device
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=DTYPES[precision], device_map=placed, local_files_only=True, config=config
    )


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
    config = AutoConfig.from_pretrained(model, local_files_only=True)
    adapter = None
    if _is_adapter(warmup):
        adapter = PeftConfig.from_pretrained(str(warmup))
        adapter.inference_mode = False
    with torch.device("meta"):
        return {
            name: weight.shape for name, weight in trainable(skeleton.untrained(config, adapter, torch.float32)).items()
        }


def order_hash(named_shapes: dict[str, torch.Size]) -> str:
    """A hash of names, shapes and order; projected gradients are comparable only if it is the same."""
    text = json.dumps([[name, list(shape)] for name, shape in named_shapes.items()])
    return hashlib.sha256(text.encode()).hexdigest()


def _is_adapter(folder: str | Path) -> bool:
    return (Path(folder) / "adapter_config.json").is_file()
