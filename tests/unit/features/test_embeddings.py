"""Encoders that cannot be used, and files of embeddings, whose ids come back as they were."""

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import BoW
from support.rejections import rejected

from instruction_selection.data import hub
from instruction_selection.features import embeddings


def test_embed__an_encoder_without_a_window_is_rejected(tmp_path):
    folder = tmp_path / "mirror" / "org" / "encoder"
    SentenceTransformer(modules=[BoW(vocab=["four"])], device="cpu").save(str(folder))
    source = {"kind": "hub", "repository": "org/encoder", "revision": "main", "files": ["*.json", "*/config.json"]}
    manifest = tmp_path / "cache" / "manifests" / "encoders" / "bow.json"
    hub.fetch({"source": source}, manifest, tmp_path / "mirror")
    example = {"id": "0", "task": "sum", "instruction": "two and two", "response": "four"}
    with rejected("encoder-without-window", path="org/encoder", key="max_seq_length"):
        embeddings.embed({"source": source}, [example], 1, manifest)
