"""The loss of an example: the mean cross-entropy over its response tokens, in nats per token, as in training."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from instruction_selection.models import batching
from instruction_selection.models.tokenized_example import IGNORE_INDEX, TokenizedExample


def response_losses(
    network: Callable[..., Any], batch: Sequence[TokenizedExample], device: torch.device
) -> torch.Tensor:
    """float32 (B,): the losses of a batch of B examples, NaN without response tokens.

    `network` is called as a causal model of transformers on `device`.
    """
    logits, targets = response_logits(network, batch, device)
    # One row per token: on a CPU, torch's log-softmax over any but the last dimension is 1,000 times less exact.
    per_token = functional.cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE_INDEX, reduction="none"
    )
    return per_token.view(targets.shape).sum(1) / (targets != IGNORE_INDEX).sum(1)


def response_logits(
    network: Callable[..., Any], batch: Sequence[TokenizedExample], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """What predicts the response tokens of a batch of B examples, in the network's precision, and these tokens:
    (B, P, V) and int64 (B, P).

    P are the positions at which some example has a response token; an example without one there has IGNORE_INDEX.
    """
    ids, mask = batching.padded(batch)
    labels = np.full(ids.shape, IGNORE_INDEX)
    for row, example in enumerate(batch):
        labels[row, : len(example.labels)] = example.labels
    targets = labels[:, 1:]
    # The head is the largest layer of a small model; apply it only where some example has a response token.
    positions = np.flatnonzero((targets != IGNORE_INDEX).any(0))
    logits = network(
        input_ids=torch.from_numpy(ids).to(device),
        attention_mask=torch.from_numpy(mask).to(device),
        # Not a tensor, which would have to be where the last layer is.
        logits_to_keep=positions,
        use_cache=False,
    ).logits
    return logits, torch.from_numpy(targets[:, positions]).to(device)
