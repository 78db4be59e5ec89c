"""Sentence embeddings, stored in HDF5 with the ids of their examples."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from instruction_selection.core import files, provenance
from instruction_selection.core.example import Example
from instruction_selection.core.packages import path_in_package
from instruction_selection.data import hub
from instruction_selection.features import checksummed_hdf5


def embed(encoder: dict, rows: list[Example], manifest: str | Path | None) -> tuple[np.ndarray, dict[str, int]]:
    """Unit embeddings of examples' instruction and response, float32 (examples, dimension), and what was truncated.

    `encoder` is a ``config/encoders`` entry; `manifest` lists its files if they had to be fetched. The second value has
    `max_seq_length`, the tokens of an example that the encoder reads, and `truncated_rows`, the number of longer ones.
    """
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(_folder(encoder["source"], manifest)))
    texts = [f"{row['instruction']}\n{row['response']}" for row in rows]
    embeddings = model.encode(
        texts, batch_size=encoder["batch_size"], normalize_embeddings=True, show_progress_bar=True
    )
    window = int(model.max_seq_length)
    truncated = sum(_tokens(model.tokenizer, text) > window for text in texts)
    return embeddings.astype(np.float32), {"max_seq_length": window, "truncated_rows": truncated}


def _tokens(tokenizer, text: str) -> int:
    """The number of tokens of a text, including the special tokens that the encoder adds."""
    return len(tokenizer(text, truncation=False, padding=False, verbose=False)["input_ids"])


def _folder(source: dict, manifest: str | Path | None) -> Path:
    if source["kind"] == "package":
        return path_in_package(source["package"], source["folder"])
    # The folder above all files; some are in subfolders.
    return min((path.parent for path in hub.paths(source, manifest, "source")), key=lambda path: len(path.parts))


def write(path: str | Path, rows_path: str | Path, encoder: dict, manifest: str | Path | None = None) -> None:
    """Embed the examples of a JSON-lines file and write `embedding` (examples x dimension) and `id` to HDF5."""
    rows = files.read_jsonl(rows_path)
    embeddings, window = embed(encoder, rows, manifest)
    made_with = {"encoder": encoder, **window}
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
        checksummed_hdf5.seal(temporary)
