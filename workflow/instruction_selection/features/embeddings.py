"""Sentence embeddings, stored in HDF5 with the ids of their examples."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerBase

from instruction_selection.core import code as source
from instruction_selection.core import example, files, provenance, worked
from instruction_selection.core.errors import InputError
from instruction_selection.core.example import Example
from instruction_selection.core.packages import path_in_package
from instruction_selection.data import hub
from instruction_selection.features import checksummed_hdf5


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
    write_embeddings(
        path, rows_path, rows, embeddings=embeddings, made_with=made_with, packages=("sentence-transformers",)
    )


def write_embeddings(
    path: str | Path,
    rows_path: str | Path,
    rows: list[Example],
    embeddings: np.ndarray,
    made_with: dict,
    packages: Iterable[str] = (),
) -> None:
    """Write one embedding per example, with its id; `identity` (JSON) records the examples' hash and `made_with`.

    `packages` are those whose versions are recorded in addition to torch's and h5py's.
    """
    with files.replacing(path) as temporary:
        with checksummed_hdf5.create(temporary) as store:
            store.create_dataset("embedding", data=embeddings, fletcher32=True, chunks=True)
            store.create_dataset("id", data=checksummed_hdf5.encoded_ids([row["id"] for row in rows], path))
            store.attrs["identity"] = json.dumps({"rows": files.sha256(rows_path), **made_with}, sort_keys=True)
            store.attrs["git_commit"] = provenance.git_commit()
            for name, version in provenance.versions("torch", "h5py", *packages).items():
                store.attrs[f"version_{name}"] = version
        checksummed_hdf5.write_checksum(temporary)
