"""Turn a model's source into one local folder of safetensors weights, tokenizer and chat template."""

import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from instruction_selection import files, provenance
from instruction_selection.finetuning import tokens
from instruction_selection.packages import path_in_package

SUMMARY = "model.json"


def prepare(model: dict, folder: str | Path) -> None:
    """Write the model described by a ``config/models`` entry to `folder`, complete or not at all.

    The chat template is the one by which LLaMA-Factory will train, so that evaluation asks in the same form.
    """
    folder = Path(folder)
    partial = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(partial, ignore_errors=True)
    network, tokenizer = SOURCES[model["source"]["kind"]](model["source"])
    tokenizer.chat_template = tokens.chat_template(tokenizer, model["template"])
    network.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    weights = {path.name: files.sha256(path) for path in sorted(partial.glob("*.safetensors"))}
    files.write_json(
        partial / SUMMARY,
        {
            "weights": weights,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "provenance": provenance.record({}, model, ("torch", "transformers", "llamafactory")),
        },
    )
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def weights_id(folder: str | Path) -> str:
    """One hash that names the weights in a folder made by `prepare`."""
    weights = files.read_json(Path(folder) / SUMMARY)["weights"]
    return next(iter(weights.values())) if len(weights) == 1 else files.sha256(Path(folder) / SUMMARY)


def _from_gguf_package(source: dict) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    path = path_in_package(source["package"], source["file"])
    network = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    return network, AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def _random(source: dict) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    torch.manual_seed(source["seed"])
    network = AutoModelForCausalLM.from_config(AutoConfig.for_model(**source["config"]), dtype=torch.float32)
    path = path_in_package(source["tokenizer"]["package"], source["tokenizer"]["file"])
    return network, AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


SOURCES = {"gguf-package": _from_gguf_package, "random": _random}
