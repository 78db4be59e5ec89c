"""Encoders that cannot be used, and files of embeddings, whose ids come back as they were."""

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import BoW
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.data import hub
from instruction_selection.features import checksummed_hdf5, embeddings


def test_embed__an_encoder_without_a_window_is_rejected(tmp_path):
    folder = tmp_path / "mirror" / "org" / "encoder"
    SentenceTransformer(modules=[BoW(vocab=["four"])], device="cpu").save(str(folder))
    source = {"kind": "hub", "repository": "org/encoder", "revision": "main", "files": ["*.json", "*/config.json"]}
    manifest = tmp_path / "cache" / "manifests" / "encoders" / "bow.json"
    hub.fetch({"source": source}, manifest, tmp_path / "mirror")
    example = {"id": "0", "task": "sum", "instruction": "two and two", "response": "four"}
    with rejected("encoder-without-window", path="org/encoder", key="max_seq_length"):
        embeddings.embed({"source": source}, [example], 1, manifest)


def written(folder, ids):
    rows = [{"id": identity, "task": "t", "instruction": "i", "response": "r"} for identity in ids]
    files.write_jsonl(folder / "rows.jsonl", rows)
    embeddings.write_embeddings(
        folder / "rows.h5", folder / "rows.jsonl", rows, np.ones((len(rows), 2), np.float32), {}
    )
    return folder / "rows.h5"


def test_write_embeddings__ids_of_any_length_come_back(tmp_path):
    ids = ["0123456789abcdef", "0123456789abcdef-2", "größer als", "x" * 300]
    with checksummed_hdf5.open_verified(written(tmp_path, ids)) as store:
        assert [name.decode() for name in store["id"][:]] == ids


def test_write_embeddings__an_id_that_would_not_come_back_is_rejected(tmp_path):
    with rejected("id-not-storable", path="rows.h5", key="id"):
        written(tmp_path, ["a", "b\0"])
    assert not (tmp_path / "rows.h5").exists()
