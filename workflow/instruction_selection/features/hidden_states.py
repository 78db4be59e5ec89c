"""Examples embedded by the base model: position-weighted means of its last hidden states (RDS+, Ivison et al. 2025).

The hidden state of token p (from 1) of L has weight p / (1 + ... + L), because later tokens attend to more of the
example. Prompt and response both count, tokenized as for training.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer

from instruction_selection.core import example, worked
from instruction_selection.core.example import Example
from instruction_selection.features import row_values
from instruction_selection.models import batching, placement, tokens


def position_weighted_means(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """float32 (B, D) from `states` (B, T, D); `mask` (B, T) is 0 on padding, which must be on the right.

    RDS+'s code gives padding a weight too, so it is correct only for batches of one; for those the results agree.
    """
    weights = torch.arange(1, states.shape[1] + 1, device=states.device) * mask
    weights = weights / weights.sum(1, keepdim=True)
    return torch.einsum("rld,rl->rd", states.float(), weights.float())


def embed(
    model: str | Path, rows: list[Example], template: str, cutoff_len: int, batch_tokens: int, gpus: int = 1
) -> np.ndarray:
    """Unit embeddings, float32 (examples, hidden size).

    `batch_tokens` bounds a batch, padding included; `gpus` is over how many GPUs the model is split.
    """
    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
    placed = placement.of_model(model, torch.float32, gpus, AutoModel)
    network = AutoModel.from_pretrained(model, local_files_only=True, dtype=torch.float32, device_map=placed).eval()
    examples = tokens.encode(rows, tokenizer, template, cutoff_len)
    result = np.empty((len(rows), network.config.hidden_size), dtype=np.float32)
    with torch.inference_mode(), tqdm(total=len(rows), unit="row") as bar, worked.timed():
        for batch in batching.by_length(examples, range(len(examples)), batch_tokens):
            ids, mask = (
                torch.from_numpy(part).to(network.device) for part in batching.padded([examples[row] for row in batch])
            )
            states = network(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            means = position_weighted_means(states, mask)
            result[batch] = torch.nn.functional.normalize(means, dim=1).cpu().numpy()
            bar.update(len(batch))
    return result


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
    """Embed the examples of a JSON-lines file and write `embedding` (examples x hidden size) and `id` to HDF5."""
    rows = example.read(rows_path)
    made_with = row_values.made_by_model(model, template, cutoff_len, code)
    embeddings = embed(model, rows, template, cutoff_len, batch_tokens, gpus)
    packages = ["transformers", "llamafactory"]
    row_values.write(path, rows_path, rows, "embedding", embeddings, made_with, packages)
