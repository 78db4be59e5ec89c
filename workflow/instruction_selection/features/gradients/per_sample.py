"""Per-sample gradients: a plain loop that anyone can check, and the same in batches.

The loss of a row is the mean cross-entropy over its response tokens, as in LESS. A linear layer sees inputs x_t and is
handed back output gradients g_t at every token t; its weight's gradient for one row is the sum of g_t x_t^T over that
row's own tokens. So one backward pass over a batch has all that is needed for a gradient per row.
"""

import copy
from collections import Counter, OrderedDict
from collections.abc import Callable

import torch
from torch.nn import functional

from instruction_selection.features.gradients import parameters
from instruction_selection.features.gradients.parameters import Network
from instruction_selection.models.tokens import IGNORE_INDEX, Example


def reference(network: Network, example: Example) -> list[torch.Tensor]:
    """The gradient of one row by autograd, flattened, one tensor per trainable parameter."""
    device = next(network.parameters()).device
    ids = torch.tensor([example.input_ids], device=device)
    labels = torch.tensor([example.labels], device=device)
    logits = network(input_ids=ids).logits
    loss = functional.cross_entropy(logits[0, :-1].float(), labels[0, 1:], ignore_index=IGNORE_INDEX, reduction="mean")
    weights = list(parameters.trainable(network).values())
    return [gradient.flatten() for gradient in torch.autograd.grad(loss, weights)]


class Batched:
    """The same gradients for many rows from one forward and backward pass.

    `consume(number, gradients)` is called once per trainable parameter and batch, in backward order, with float32
    gradients of shape (rows, size); hardly more than one parameter's gradients is held at a time.
    """

    def __init__(self, network: Network, precision: str, consume: Callable[[int, torch.Tensor], None]):
        self._network, self._consume = network, consume
        self._device = next(network.parameters()).device
        self._autocast = torch.autocast(self._device.type, torch.bfloat16, enabled=precision == "bf16")
        numbers = {parameter: number for number, parameter in enumerate(parameters.trainable(network).values())}
        # A weight used in two places, such as tied embeddings, has the sum of its gradients there.
        self._uses: Counter[int] = Counter()
        self._sums: dict[int, tuple[torch.Tensor, int]] = {}
        for module in network.modules():
            owned = {name: numbers[p] for name, p in module.named_parameters(recurse=False) if p in numbers}
            if owned:
                self._uses.update(owned.values())
                module.register_forward_hook(self._hook(module, owned))
        # A weight's gradient over the whole batch is not wanted, and would cost as much as the rows' own.
        for parameter in numbers:
            parameter.requires_grad_(False)

    def _hook(self, module: torch.nn.Module, owned: dict[str, int]):
        gradient_of_rows = _rule(module)
        # Without this hook, which would call itself where the layer is done again.
        bare = copy.copy(module)
        bare._forward_hooks = OrderedDict()

        def forward(module, inputs, output):
            activations = inputs[0].detach()
            # With every weight frozen, this is where autograd begins.
            if not output.requires_grad:
                output.requires_grad_()

            def backward(gradient):
                for name, values in gradient_of_rows(bare, list(owned), activations, gradient).items():
                    self._collect(owned[name], values.flatten(1))

            output.register_hook(backward)

        return forward

    def _collect(self, number: int, gradients: torch.Tensor) -> None:
        seen = 1
        if self._uses[number] > 1:
            earlier, count = self._sums.pop(number, (0, 0))
            gradients, seen = gradients + earlier, count + 1
        if seen == self._uses[number]:
            self._consume(number, gradients)
        else:
            self._sums[number] = (gradients, seen)

    def run(self, batch: list[Example]) -> torch.Tensor:
        """One batch; returns the rows' losses, (rows,)."""
        length = max(len(example.input_ids) for example in batch)
        ids = torch.zeros(len(batch), length, dtype=torch.long)
        labels = torch.full((len(batch), length), IGNORE_INDEX)
        # Padding stands on the right, where causal attention keeps it from touching a row's own tokens.
        mask = torch.zeros(len(batch), length, dtype=torch.long)
        for row, example in enumerate(batch):
            ids[row, : len(example.input_ids)] = torch.tensor(example.input_ids)
            labels[row, : len(example.labels)] = torch.tensor(example.labels)
            mask[row, : len(example.input_ids)] = 1
        targets = labels[:, 1:]
        # The head is the largest layer of a small model; apply it only where some row has a response token.
        positions = (targets != IGNORE_INDEX).any(0).nonzero()[:, 0]
        targets = targets[:, positions].to(self._device)
        with self._autocast:
            logits = self._network(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                logits_to_keep=positions.to(self._device),
                use_cache=False,
            ).logits
        # One row per token: on a CPU, torch's log-softmax over any but the last dimension is 1,000 times less exact.
        per_token = functional.cross_entropy(
            logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE_INDEX, reduction="none"
        )
        losses = per_token.view(targets.shape).sum(1) / (targets != IGNORE_INDEX).sum(1)
        losses.sum().backward()
        return losses.detach()


def _rule(module: torch.nn.Module):
    """(module, names, activations, output gradient) -> float32 gradients of rows by parameter name."""
    if isinstance(module, torch.nn.Linear):
        return _linear
    if isinstance(module, torch.nn.Embedding):
        return _embedding
    return _by_autograd


def _linear(module, names, activations, gradient):
    gradient = gradient.float()
    result = {}
    if "weight" in names:
        result["weight"] = torch.bmm(gradient.transpose(1, 2), activations.float())
    if "bias" in names:
        result["bias"] = gradient.sum(1)
    return result


def _embedding(module, names, ids, gradient):
    result = torch.zeros(len(ids), *module.weight.shape, device=gradient.device)
    for row in range(len(ids)):
        result[row].index_add_(0, ids[row], gradient[row].float())
    if module.padding_idx is not None:
        # As in training: torch gives the padding token no gradient here, even where it stands for the end of a turn.
        result[:, module.padding_idx] = 0
    return {"weight": result}


def _by_autograd(module, names, activations, gradient):
    """Any other layer, such as a normalisation, which is cheap enough to be done again row by row."""
    weights = {name: getattr(module, name).detach().requires_grad_() for name in names}
    rows = {name: [] for name in names}
    with torch.enable_grad():
        for row in range(len(activations)):
            output = torch.func.functional_call(module, weights, (activations[row : row + 1],))
            parts = torch.autograd.grad(output, list(weights.values()), gradient[row : row + 1].to(output.dtype))
            for name, part in zip(names, parts, strict=True):
                rows[name].append(part.float())
    return {name: torch.stack(parts) for name, parts in rows.items()}


def batches(examples: list[Example], token_budget: int) -> list[list[int]]:
    """Row numbers in batches of similar length, each of at most `token_budget` tokens with padding (or one row).

    Rows without a response token are in no batch. The longest come first, so that a run that does not fit in
    memory fails at once.
    """
    rows = [number for number, example in enumerate(examples) if example.response_tokens]
    rows.sort(key=lambda number: -len(examples[number].input_ids))
    result: list[list[int]] = []
    for number in rows:
        longest = len(examples[result[-1][0]].input_ids) if result else 0
        if result and longest * (len(result[-1]) + 1) <= token_budget:
            result[-1].append(number)
        else:
            result.append([number])
    return result
