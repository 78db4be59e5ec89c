"""Sentence embeddings, in HDF5 beside the ids of their rows."""

import json
from pathlib import Path

import h5py
import numpy as np

from instruction_selection.core import files, provenance
from instruction_selection.core.packages import path_in_package
from instruction_selection.data import hub
from instruction_selection.features import checksummed_hdf5


def embed(encoder: dict, rows: list[dict], manifest: str | Path | None) -> tuple[np.ndarray, dict[str, int]]:
    """Unit embeddings of rows' instruction and response, float32 of shape (rows, dimension), and what was cut off.

    `manifest` lists the files of an encoder that had to be fetched. The second is `max_seq_length`, the tokens that the
    encoder sees of a row, and `truncated_rows`, how many rows are longer.
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
    """How many tokens a text has, with those that the encoder puts around it."""
    return len(tokenizer(text, truncation=False, padding=False, verbose=False)["input_ids"])


def _folder(source: dict, manifest: str | Path | None) -> Path:
    if source["kind"] == "package":
        return path_in_package(source["package"], source["folder"])
    # The folder that all files are in, although some are in folders below it.
    return min((path.parent for path in hub.paths(source, manifest, "source")), key=lambda path: len(path.parts))


def write(path: str | Path, rows_path: str | Path, encoder: dict, manifest: str | Path | None = None) -> None:
    """Embed the rows of a JSON-lines file and write `embedding` (rows x dimension) and `id` to HDF5."""
    rows = files.read_jsonl(rows_path)
    embeddings, window = embed(encoder, rows, manifest)
    write_embeddings(path, rows_path, rows, embeddings, {"encoder": encoder, **window}, "sentence-transformers")


def write_embeddings(
    path: str | Path, rows_path: str | Path, rows: list[dict], embeddings: np.ndarray, made_with: dict, *packages: str
) -> None:
    """One embedding per row, beside the rows' ids, and as JSON in `identity` what they were made from and with."""
    with files.replacing(path) as temporary:
        with checksummed_hdf5.create(temporary) as store:
            store.create_dataset("embedding", data=embeddings, fletcher32=True, chunks=True)
            store.create_dataset("id", data=[row["id"] for row in rows], dtype=h5py.string_dtype())
            store.attrs["identity"] = json.dumps({"rows": files.sha256(rows_path), **made_with}, sort_keys=True)
            store.attrs["git_commit"] = provenance.git_commit()
            for name, version in provenance.versions("torch", "h5py", *packages).items():
                store.attrs[f"version_{name}"] = version
        checksummed_hdf5.seal(temporary)
