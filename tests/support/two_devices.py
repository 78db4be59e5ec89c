"""A gradient job of a model that is split over two devices, on tensors without values. Run as a program.

torch checks for every operation that its inputs are on one device, which two processors could not show. The second
device is of a kind that torch lets a program register; it is for this process alone, because libraries would use it.
"""

from torch.utils import backend_registration

backend_registration._setup_privateuseone_for_python_backend("other")

import json  # noqa: E402
import sys  # noqa: E402
from collections import Counter  # noqa: E402

import torch  # noqa: E402
from accelerate import dispatch_model  # noqa: E402
from accelerate.hooks import remove_hook_from_module  # noqa: E402
from peft import LoraConfig, PeftModel  # noqa: E402
from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: E402
from transformers import LlamaConfig  # noqa: E402

from instruction_selection.features.gradients import (  # noqa: E402
    memory,
    parameters,
    per_sample,
    projection,
    sketches,
)
from instruction_selection.features.gradients.sketches import Sketches  # noqa: E402
from instruction_selection.models import placement, skeleton  # noqa: E402

DEVICES = [torch.device("cpu"), torch.device("other", 0)]
LLAMA = LlamaConfig(
    **{"vocab_size": 512, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 6},
    **{"num_attention_heads": 4, "num_key_value_heads": 2},
)
LORA = LoraConfig(r=4, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])


def main(trained: str) -> Counter:
    """How many parameters had their gradients consumed on their own device, by device; `trained` is lora or full."""
    with torch.device("meta"):
        network = skeleton.untrained(LLAMA, LORA if trained == "lora" else None, torch.float32)
    base = network.get_base_model() if isinstance(network, PeftModel) else network
    with FakeTensorMode(allow_non_fake_inputs=True):
        placed = placement.over(LLAMA, torch.float32, DEVICES)
        allocate(base, placed)
        dispatch_model(base, placed)
        for name, module in base.named_modules():
            # As after reading an adapter into a model that has its hooks.
            if "lora_" in name:
                remove_hook_from_module(module)
        trainable = list(parameters.trainable(network).values())
        devices, sizes = [weight.device for weight in trainable], [weight.numel() for weight in trainable]
        sketch = projection.make({"kind": "sjlt", "dimension": 32, "seed": 0}, sizes, devices)
        moments = [(torch.empty_like(weight).flatten(), torch.empty_like(weight).flatten()) for weight in trainable]
        sums = Sketches(["adam", "sgd"], sketch, moments)
        consumed = Counter()

        def consume(number: int, gradients: torch.Tensor) -> None:
            assert gradients.device == devices[number]
            consumed[str(gradients.device)] += 1
            sums.add(number, gradients)

        sums.start(3)
        losses = per_sample.Batched(network, "fp32", consume).run(memory.examples([(20, 12), (18, 4), (9, 3)]))
        rows = [sketch.finish(sketches.added_up(parts)) for parts in sums._sums.values()]
        assert all((row.shape, row.device) == ((3, 32), DEVICES[0]) for row in rows)
        assert losses.device == DEVICES[0]
    return consumed


def allocate(network: torch.nn.Module, placed: placement.Placement) -> None:
    """Give every weight and buffer its place."""
    for module_name, module in network.named_modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    at = next(placed[key] for key in placed if f"{module_name}.".startswith(f"{key}."))
                    new = torch.empty(tensor.shape, device=at)
                    trained = isinstance(tensor, torch.nn.Parameter)
                    tensors[name] = torch.nn.Parameter(new, tensor.requires_grad) if trained else new


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
