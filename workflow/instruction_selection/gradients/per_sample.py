"""Per-sample gradients of LoRA weights: a plain loop that anyone can check, and the same in batches.

The loss of a row is the mean cross-entropy over its response tokens, as in LESS. A LoRA matrix W sees inputs x_t and
hands back output gradients g_t at every token t; the gradient of one row is the sum of g_t x_t^T over that row's own
tokens. So one backward pass over a batch has all that is needed for a gradient per row.
"""

from collections.abc import Callable

import torch
from peft import PeftModel
from torch.nn import functional

from instruction_selection.finetuning.tokens import IGNORE_INDEX, Example
from instruction_selection.gradients import parameters


def reference(model: PeftModel, example: Example) -> list[torch.Tensor]:
    """The gradient of one row by autograd, flattened, one tensor per trainable parameter."""
    device = next(model.parameters()).device
    ids = torch.tensor([example.input_ids], device=device)
    labels = torch.tensor([example.labels], device=device)
    logits = model(input_ids=ids).logits
    loss = functional.cross_entropy(logits[0, :-1].float(), labels[0, 1:], ignore_index=IGNORE_INDEX, reduction="mean")
    weights = list(parameters.trainable(model).values())
    return [gradient.flatten() for gradient in torch.autograd.grad(loss, weights)]


class Batched:
    """The same gradients for many rows from one forward and backward pass.

    `consume(number, gradients)` is called once per trainable parameter and batch, in backward order, with float32
    gradients of shape (rows, size); nothing larger than one parameter's gradients is held.
    """

    def __init__(self, model: PeftModel, precision: str, consume: Callable[[int, torch.Tensor], None]):
        self._model, self._consume = model, consume
        self._device = next(model.parameters()).device
        self._autocast = torch.autocast(self._device.type, torch.bfloat16, enabled=precision == "bf16")
        modules = dict(model.named_modules())
        for number, (name, parameter) in enumerate(_adapter_parameters(model)):
            module = modules[name.removesuffix(".weight")]
            if not isinstance(module, torch.nn.Linear) or module.bias is not None:
                raise TypeError(f"{name} belongs to a {type(module).__name__}, not to a linear layer without bias.")
            module.register_forward_hook(self._hook(number))
            # The weight's gradient over the whole batch is not wanted, and costs as much as the rows' own.
            parameter.requires_grad_(False)
        # With every weight frozen, autograd would have nothing to start from.
        model.enable_input_require_grads()

    def _hook(self, number: int):
        def forward(module, inputs, output):
            activations = inputs[0].detach()

            def backward(gradient):
                per_row = torch.bmm(gradient.float().transpose(1, 2), activations.float())
                self._consume(number, per_row.flatten(1))

            output.register_hook(backward)

        return forward

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
            logits = self._model(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                logits_to_keep=positions.to(self._device),
                use_cache=False,
            ).logits
        per_token = functional.cross_entropy(
            logits.float().transpose(1, 2), targets, ignore_index=IGNORE_INDEX, reduction="none"
        )
        losses = per_token.sum(1) / (targets != IGNORE_INDEX).sum(1)
        losses.sum().backward()
        return losses.detach()


def _adapter_parameters(model: PeftModel) -> list[tuple[str, torch.nn.Parameter]]:
    return [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]


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
