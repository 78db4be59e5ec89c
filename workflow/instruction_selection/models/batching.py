"""Examples in batches: which of them together, and padded to one length."""

from collections.abc import Iterable, Sequence

import numpy as np

from instruction_selection.models.tokenized_example import TokenizedExample


def by_length(examples: Sequence[TokenizedExample], rows: Iterable[int], batch_tokens: int) -> list[list[int]]:
    """The `rows` in batches of similar length, of at most `batch_tokens` tokens with padding (or one example).

    The longest come first, so that a run that does not fit in memory fails at once.
    """
    result: list[list[int]] = []
    for row in sorted(rows, key=lambda row: -len(examples[row].input_ids)):
        longest = len(examples[result[-1][0]].input_ids) if result else 0
        if result and longest * (len(result[-1]) + 1) <= batch_tokens:
            result[-1].append(row)
        else:
            result.append([row])
    return result


def with_response(examples: Sequence[TokenizedExample]) -> list[int]:
    """The examples that have a response token, and so a loss."""
    return [row for row, example in enumerate(examples) if example.response_tokens]


def padded(batch: Sequence[TokenizedExample]) -> tuple[np.ndarray, np.ndarray]:
    """Token ids and attention mask of a batch, int64 (B, T), both 0 on padding.

    Padding is on the right, where causal attention keeps it from influencing an example's own tokens. In NumPy, so that
    this can run on fake tensors, whose values nothing may depend on.
    """
    shape = len(batch), max(len(example.input_ids) for example in batch)
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, example in enumerate(batch):
        ids[row, : len(example.input_ids)] = example.input_ids
        mask[row, : len(example.input_ids)] = 1
    return ids, mask
