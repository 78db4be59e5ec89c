"""Losses of examples under the base model: of the response given the instruction, and of the response alone.

A loss is the mean cross-entropy over the response tokens that training has labels for, its end of turn among them, in
nats per token; its exponential is the perplexity. Alone means after the template with an empty instruction, as the
authors of IFD (Li et al. 2024) keep the header of the answer. Both are over the same tokens: where the instruction
leaves room for a part of the response only, that part.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer

from instruction_selection.core import example, worked
from instruction_selection.core.example import Example
from instruction_selection.features import row_values
from instruction_selection.models import batching, placement, tokens
from instruction_selection.models.response_loss import response_losses
from instruction_selection.models.tokenized_example import IGNORE_INDEX, TokenizedExample


def compute(
    model: str | Path, rows: list[Example], template: str, cutoff_len: int, batch_tokens: int, gpus: int = 1
) -> np.ndarray:
    """float32 (examples, 2): the loss with the instruction, and without; NaN where no response token is left.

    `batch_tokens` bounds a batch, padding included, and `gpus` is over how many GPUs the model is split; both change
    results by rounding only.
    """
    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
    network = AutoModelForCausalLM.from_pretrained(
        model, local_files_only=True, dtype=torch.float32, device_map=placement.of_model(model, torch.float32, gpus)
    ).eval()
    given = tokens.encode(rows, tokenizer, template, cutoff_len)
    without = tokens.encode([{**row, "instruction": ""} for row in rows], tokenizer, template, cutoff_len)
    alone = [_first(each, other.response_tokens) for each, other in zip(without, given, strict=True)]
    result = np.full((len(rows), 2), np.nan, dtype=np.float32)
    with torch.inference_mode(), tqdm(total=2 * len(rows), unit="pass") as bar, worked.timed():
        for column, examples in enumerate((given, alone)):
            for batch in batching.by_length(examples, batching.with_response(examples), batch_tokens):
                losses = response_losses(network, [examples[row] for row in batch], network.device)
                result[batch, column] = losses.cpu().numpy()
                bar.update(len(batch))
    return result


def _first(encoded: TokenizedExample, count: int) -> TokenizedExample:
    """An example that ends with the response token `count` (from 1), if it has more."""
    places = [place for place, label in enumerate(encoded.labels) if place and label != IGNORE_INDEX]
    if len(places) <= count:
        return encoded
    end = places[count - 1] + 1 if count else places[0]
    return TokenizedExample(encoded.input_ids[:end], encoded.labels[:end])


def write(
    path: str | Path,
    rows_path: str | Path,
    model: str | Path,
    template: str,
    cutoff_len: int,
    batch_tokens: int,
    code: Mapping[str, str] | None = None,
    gpus: int = 1,
) -> None:
    """Compute the losses of the examples of a JSON-lines file; write `losses` (examples x 2) and `id` to HDF5."""
    rows = example.read(rows_path)
    made_with = row_values.made_by_model(model, template, cutoff_len, code)
    losses = compute(model, rows, template, cutoff_len, batch_tokens, gpus)
    row_values.write(path, rows_path, rows, "losses", losses, made_with, packages=["transformers", "llamafactory"])
