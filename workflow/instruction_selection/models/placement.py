"""Which layers of a model are on which GPU: one after another, so that a model may be larger than a GPU."""

import copy
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
from accelerate import infer_auto_device_map
from accelerate.utils import compute_module_sizes, get_max_layer_size
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, PretrainedConfig

from instruction_selection.core.errors import InputError

#: Devices of a model's modules by name, as transformers' `device_map` has them; the name "" stands for all.
Placement = Mapping[str, torch.device]
Kind = type[AutoModelForCausalLM] | type[AutoModel]


def devices(gpus: int) -> list[torch.device]:
    """The devices of a job that asked for so many GPUs: without any on this machine, the processor.

    Raises `InputError` if there are some, but fewer.
    """
    if not torch.cuda.is_available():
        return [torch.device("cpu")]
    found = torch.cuda.device_count()
    if found < gpus:
        sentence = f"a job asks for {gpus} GPUs, and only {found} can be seen here; set it to {found}"
        raise InputError("too-few-gpus", sentence, key="gpus.gradients")
    return [torch.device("cuda", number) for number in range(max(1, gpus))]


def of_model(model: str | Path, dtype: torch.dtype, gpus: int, kind: Kind = AutoModelForCausalLM) -> Placement:
    """As `over`, of a model's folder, on the GPUs of this machine (`devices`)."""
    return over(AutoConfig.from_pretrained(model, local_files_only=True), dtype, devices(gpus), kind)


def over(
    config: PretrainedConfig,
    dtype: torch.dtype,
    devices: Sequence[torch.device],
    kind: Kind = AutoModelForCausalLM,
) -> Placement:
    """Where the modules of a model go, with as equal shares of its weights as its layers allow.

    A layer is never split, tied weights stay together, and the order of the layers is that of the devices. `kind` is
    the class that reads the model, which decides the modules' names. Raises `InputError` for a model that has too few
    layers for the devices.
    """
    if len(devices) == 1:
        return {"": devices[0]}
    with torch.device("meta"):
        network = kind.from_config(config, dtype=dtype)
    whole = [str(name) for name in network._no_split_modules or ()]
    sizes = compute_module_sizes(network)
    largest, _ = get_max_layer_size(list(network.named_children()), sizes, whole)
    # accelerate fills one device after another, and keeps room for the largest layer on the first. An equal share and a
    # layer is always enough; the least that is enough gives the most equal shares.
    for extra in range(STEPS + 1):
        share = sizes[""] // len(devices) + largest * extra // STEPS
        limits = {number: share + largest * (number == 0) for number in range(len(devices))}
        found = infer_auto_device_map(network, {**limits, "cpu": 0}, no_split_module_classes=whole)
        if set(found.values()) == set(limits):
            return {name: devices[cast(int, number)] for name, number in found.items()}
    raise InputError("no-placement", f"the model has too few layers for {len(devices)} GPUs", key="gpus.gradients")


def fullest(config: PretrainedConfig, dtype: torch.dtype, gpus: int) -> PretrainedConfig:
    """A model with the decoder layers of the GPU that has most of them, if `config` is split over so many.

    It has both embedding and head, of which a GPU may have only one.
    """
    if gpus == 1:
        return config
    placed = over(config, dtype, [torch.device("cuda", number) for number in range(gpus)])
    layers = Counter(device for name, device in placed.items() if re.search(r"\.\d+$", name))
    shortened = copy.deepcopy(config)
    shortened.num_hidden_layers = max(layers.values())
    if getattr(config, "layer_types", None):
        shortened.layer_types = config.layer_types[: shortened.num_hidden_layers]
    return shortened


#: Steps of a layer in which a device's share is raised until all layers have a place.
STEPS = 8
