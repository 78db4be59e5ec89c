"""Fixtures shared by all tests. Nothing here, and nothing in the tests, reaches a network."""

import os
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from hypothesis import settings

# Machines that run tests are shared, so a slow example is no failure; and a change is judged by the same examples as
# the one before it, while developers' runs look for new ones.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """The smoke experiment's model, made as the workflow makes it."""
    from instruction_selection import config, models

    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    models.prepare(config.read_entry(REPOSITORY / "config", "model", "tiny-llama"), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_adapter(tiny_model, tmp_path_factory) -> Path:
    """A LoRA adapter with both matrices random, so that no gradient vanishes."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    network = get_peft_model(
        AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32),
        LoraConfig(r=4, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"]),
    )
    for name, parameter in network.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    folder = tmp_path_factory.mktemp("adapters") / "tiny"
    network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def some_rows() -> list[dict]:
    """Real pool rows of very different lengths."""
    from instruction_selection import rows

    return rows.sample("reasoning-gym", ["chain_sum", "gsm_symbolic", "knights_knaves"], "pool", 11, seed=3)


@pytest.fixture(scope="session")
def small_mirror(tmp_path_factory) -> Path:
    """A few rows of every public source."""
    import mirror

    return mirror.build(tmp_path_factory.mktemp("mirror"))


@pytest.fixture
def fetched(small_mirror, tmp_path):
    """A function of an entry's kind and name: what its config file says, and the manifest of its fetched files."""
    from instruction_selection import config, hub

    def fetch(kind: str, name: str) -> tuple[dict, Path]:
        entry = config.read_entry(REPOSITORY / "config", kind, name)
        manifest = tmp_path / "cache" / "manifests" / kind / f"{name}.json"
        hub.fetch(config.sources(kind, entry), manifest, small_mirror)
        return entry, manifest

    return fetch
