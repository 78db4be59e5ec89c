"""Per-sample gradients: a plain loop that is easy to check, and the same computed in batches.

The loss L of an example is the mean cross-entropy over its response tokens (nats per token), as in LESS (Xia et al.
2024). At token t a linear layer y_t = W x_t receives the input x_t and, in the backward pass, the output gradient
g_t = dL/dy_t; the gradient of W for one example is the sum of g_t x_t^T over that example's tokens. So one forward and
backward pass over a batch has all that is needed for a gradient per example.

Shapes: B examples in a batch, T tokens of the longest one, `in` and `out` features of a layer.
"""

import contextlib
import copy
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import torch
from peft import PeftModel
from peft.helpers import disable_input_dtype_casting
from torch.nn import functional
from transformers import PreTrainedModel

from instruction_selection.core.errors import InputError
from instruction_selection.features.gradients import parameters
from instruction_selection.features.gradients.parameters import Network
from instruction_selection.models.response_loss import response_losses
from instruction_selection.models.tokenized_example import IGNORE_INDEX, TokenizedExample


def reference(network: Network, example: TokenizedExample) -> list[torch.Tensor]:
    """The gradient of one example by autograd: one tensor (size,) per parameter of `parameters.trainable`, in order."""
    device = next(network.parameters()).device
    ids = torch.tensor([example.input_ids], device=device)
    labels = torch.tensor([example.labels], device=device)
    logits = network(input_ids=ids).logits
    loss = functional.cross_entropy(logits[0, :-1].float(), labels[0, 1:], ignore_index=IGNORE_INDEX, reduction="mean")
    weights = list(parameters.trainable(network).values())
    return [gradient.flatten() for gradient in torch.autograd.grad(loss, weights)]


#: Up to so many tokens, a CPU computes attention by plain products of matrices. The backward pass of torch's fused
#: attention takes 2 to 10 times as long there; but the T x T weights of longer examples would take most of the memory.
UNFUSED_TOKENS = 256


class Batched:
    """The same gradients for many examples from one forward and backward pass.

    `consume(number, gradients)` is called once per trainable parameter and batch, in backward order: `number` is the
    parameter's index in `parameters.trainable`, and `gradients` is float32 (B, size). Hardly more than one parameter's
    gradients are in memory at a time. `precision` is that of `parameters.load`; `bf16` is autocast to bfloat16.

    `network` is changed: its layers get hooks, and its weights are frozen.
    """

    def __init__(self, network: Network, precision: str, consume: Callable[[int, torch.Tensor], None]):
        self._network, self._consume = network, consume
        self._device = next(network.parameters()).device
        self._adapted = isinstance(network, PeftModel)
        self._model = cast(PreTrainedModel, network.get_base_model() if isinstance(network, PeftModel) else network)
        self._attention = self._model.config._attn_implementation or "sdpa"
        self._autocast = torch.autocast(self._device.type, torch.bfloat16, enabled=precision == "bf16")
        numbers = {parameter: number for number, parameter in enumerate(parameters.trainable(network).values())}
        # The gradient of a weight used in two places, such as tied embeddings, is the sum over its uses.
        self._uses: Counter[int] = Counter()
        self._sums: dict[int, tuple[torch.Tensor, int]] = {}
        self._rows = 0
        self._consumed: set[int] = set()
        self._layers: dict[int, str] = {}
        for path, module in network.named_modules():
            owned = {name: numbers[p] for name, p in module.named_parameters(recurse=False) if p in numbers}
            if owned:
                self._uses.update(owned.values())
                self._layers.update(dict.fromkeys(owned.values(), path))
                module.register_forward_hook(self._hook(module, owned), with_kwargs=True)
        # Autograd need not compute the weights' gradients over the whole batch, which would cost as much again.
        for parameter in numbers:
            parameter.requires_grad_(False)

    def _hook(self, module: torch.nn.Module, owned: dict[str, int]):
        # A copy without this hook, which would call itself when the layer is computed again.
        bare = copy.copy(module)
        bare._forward_hooks = OrderedDict()
        gradients_per_example = _rule(bare)

        def forward(_: torch.nn.Module, inputs: tuple, keywords: dict[str, Any], output: Any) -> None:
            # One tensor in and one out, each with the batch's examples in its first dimension.
            tensors = (*inputs, *keywords.values(), output)
            if len(tensors) != 2 or any(not torch.is_tensor(each) or len(each) != self._rows for each in tensors):
                raise self._unsupported(next(iter(owned.values())))
            activations = tensors[0].detach()
            # Since every weight is frozen, autograd starts here.
            if not output.requires_grad:
                output.requires_grad_()

            def backward(gradient: torch.Tensor) -> None:
                for name, values in gradients_per_example(list(owned), activations, gradient).items():
                    self._collect(owned[name], values.flatten(1))

            output.register_hook(backward)

        return forward

    def _collect(self, number: int, gradients: torch.Tensor) -> None:
        """Add up the gradients of a parameter (B, size) over its uses, and pass the sum on after the last one."""
        uses = 1
        if self._uses[number] > 1:
            earlier, count = self._sums.pop(number, (0, 0))
            gradients, uses = gradients + earlier, count + 1
        if uses == self._uses[number]:
            self._consumed.add(number)
            self._consume(number, gradients)
        else:
            self._sums[number] = (gradients, uses)

    def run(self, batch: list[TokenizedExample]) -> torch.Tensor:
        """Process one batch; returns the examples' losses, float32 (B,), which are NaN without response tokens.

        Raises `InputError` for a layer that does not see each example by itself, and for one whose weights are used
        without it being called: there is no telling its gradients per example.
        """
        self._rows = len(batch)
        self._consumed.clear()
        losses = response_losses(self._forward, batch, self._device)
        losses.sum().backward()
        if missed := self._layers.keys() - self._consumed:
            raise self._unsupported(min(missed))
        return losses.detach()

    def _unsupported(self, number: int) -> InputError:
        # As the model names it, without the adapter around it.
        layer = self._layers[number].removeprefix("base_model.model.").partition(".lora_")[0]
        return InputError(
            "layer-without-example-gradients",
            f"layer {layer!r} does not see the examples of a batch one by one, so its weights have no gradient per "
            f"example; {'leave it out, and name the others' if self._adapted else 'use lora'}",
            path=self._model.config.name_or_path or None,
            key="lora_target" if self._adapted else "gradients.parameters",
        )

    def _forward(self, input_ids: torch.Tensor, **inputs: Any) -> Any:
        unfused = self._device.type == "cpu" and input_ids.shape[1] <= UNFUSED_TOKENS
        self._model.set_attn_implementation("eager" if unfused else self._attention)
        # PEFT would copy the input of a layer to float32 for each of its adapters, and autocast the copy back.
        with self._autocast, disable_input_dtype_casting(self._network):
            return self._network(input_ids=input_ids, **inputs)


#: (names of parameters, activations, output gradient) -> gradients per example, float32 (B, *shape), by name.
Rule = Callable[[list[str], torch.Tensor, torch.Tensor], dict[str, torch.Tensor]]


def _rule(module: torch.nn.Module) -> Rule:
    """How to compute the gradients per example of a layer's own parameters."""
    # Not of a subclass, which may do more: Gemma's embedding scales its output.
    if type(module) is torch.nn.Linear:
        return _linear
    if type(module) is torch.nn.Embedding:
        return partial(_embedding, module)
    return partial(_by_autograd, module)


def _linear(names: list[str], activations: torch.Tensor, gradient: torch.Tensor) -> dict[str, torch.Tensor]:
    """weight: sum over t of g_t x_t^T, (B, T, in), (B, T, out) -> (B, out, in); bias: sum over t of g_t, (B, out)."""
    result = {}
    if "weight" in names:
        halves = gradient.dtype == activations.dtype == torch.bfloat16
        with _rounded_factors() if halves else contextlib.nullcontext():
            result["weight"] = torch.bmm(gradient.float().transpose(1, 2), activations.float())
    if "bias" in names:
        result["bias"] = gradient.float().sum(1)
    return result


_PRECISION = threading.Lock()


@contextlib.contextmanager
def _rounded_factors() -> Iterator[None]:
    """Products of float32 matrices round their factors to bfloat16 or TF32, which is faster; sums stay in float32.

    Nothing is lost if the factors were bfloat16 before. torch's setting is for the whole process, and autograd has a
    thread for each GPU.
    """
    with _PRECISION:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("medium")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)


def _embedding(
    module: torch.nn.Embedding, names: list[str], ids: torch.Tensor, gradient: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Add each g_t to the row of its token id: int (B, T), (B, T, D) -> (B, vocabulary, D)."""
    result = torch.zeros(len(ids), *module.weight.shape, device=gradient.device)
    for row in range(len(ids)):
        result[row].index_add_(0, ids[row], gradient[row].float())
    if module.padding_idx is not None:
        # As in training: torch gives the padding token no gradient, even if that token also ends a turn.
        result[:, module.padding_idx] = 0
    return {"weight": result}


def _by_autograd(
    module: torch.nn.Module, names: list[str], activations: torch.Tensor, gradient: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Any other layer, such as a normalisation, computed again for one example at a time: such layers are cheap.

    `activations` is the layer's first input (B, ...), `gradient` its output gradient (B, ...).
    """
    weights = {name: getattr(module, name).detach().requires_grad_() for name in names}
    rows = {name: [] for name in names}
    with torch.enable_grad():
        for row in range(len(activations)):
            output = torch.func.functional_call(module, weights, (activations[row : row + 1],))
            parts = torch.autograd.grad(output, list(weights.values()), gradient[row : row + 1].to(output.dtype))
            for name, part in zip(names, parts, strict=True):
                rows[name].append(part.float())
    return {name: torch.stack(parts) for name, parts in rows.items()}
