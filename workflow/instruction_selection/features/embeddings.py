"""Sentence embeddings, stored in HDF5 with the ids of their examples."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerBase

from instruction_selection.core import code as source
from instruction_selection.core import example, worked
from instruction_selection.core.errors import InputError
from instruction_selection.core.example import Example
from instruction_selection.core.packages import path_in_package
from instruction_selection.data import hub
from instruction_selection.features import row_values


def embed(
    encoder: dict, rows: list[Example], batch_size: int, manifest: str | Path | None
) -> tuple[np.ndarray, dict[str, int]]:
    """Unit embeddings of examples' instruction and response, float32 (examples, dimension), and what was truncated.

    `encoder` is a ``config/encoders`` entry; `manifest` lists its files if they had to be fetched. `batch_size` texts
    are encoded at once. The second value has `max_seq_length`, the tokens of an example that the encoder reads, and
    `truncated_rows`, the number of longer ones. Raises `InputError` for an encoder that does not state the former.
    """
    from sentence_transformers import SentenceTransformer

    folder = _folder(encoder["source"], manifest)
    model = SentenceTransformer(str(folder))
    window = model.max_seq_length
    if window is None:
        sentence = "this encoder does not say how many tokens it reads; choose one whose first module is a transformer"
        raise InputError("encoder-without-window", sentence, path=folder, key="max_seq_length")
    texts = [f"{row['instruction']}\n{row['response']}" for row in rows]
    with worked.timed():
        embeddings = model.encode(texts, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=True)
    truncated = sum(_tokens(model.tokenizer, text) > window for text in texts)
    return embeddings.astype(np.float32), {"max_seq_length": window, "truncated_rows": truncated}


def _tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> int:
    """The number of tokens of a text, including the special tokens that the encoder adds."""
    return len(tokenizer(text, truncation=False, padding=False, verbose=False)["input_ids"])


def _folder(source: dict, manifest: str | Path | None) -> Path:
    if source["kind"] == "package":
        return path_in_package(source["package"], source["folder"])
    # The folder above all files; some are in subfolders.
    return min((path.parent for path in hub.paths(source, manifest, "source")), key=lambda path: len(path.parts))


def write(
    path: str | Path,
    rows_path: str | Path,
    encoder: dict,
    batch_size: int,
    manifest: str | Path | None = None,
    code: Mapping[str, str] | None = None,
) -> None:
    """Embed the examples of a JSON-lines file and write `embedding` (examples x dimension) and `id` to HDF5."""
    rows = example.read(rows_path)
    embeddings, window = embed(encoder, rows, batch_size, manifest)
    made_with = {"encoder": encoder, **window, "code": source.digest(code)}
    row_values.write(path, rows_path, rows, "embedding", embeddings, made_with, packages=["sentence-transformers"])
