"""Turn a model's source into one local folder with safetensors weights, tokenizer and chat template."""

from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from gguf import GGUFReader
from llamafactory.model.model_utils.misc import find_all_linear_modules
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.pytorch_utils import Conv1D

from instruction_selection.core import files, provenance
from instruction_selection.core.errors import InputError
from instruction_selection.core.packages import path_in_package
from instruction_selection.data import hub
from instruction_selection.models import checksummed_folder, summary, tokens

#: How the names of a tokenizer's files begin; `prepare` writes its own.
TOKENIZER = ("tokenizer", "special_tokens_map", "chat_template")


def prepare(
    model: dict,
    folder: str | Path,
    manifest: str | Path | None = None,
    adapted_layers: Collection[str] = (),
    code: Mapping[str, str] | None = None,
) -> None:
    """Write the model described by a ``config/models`` entry to `folder`, either whole or not at all.

    `manifest` lists the files of a model that had to be fetched; these are linked to, not copied. The chat template is
    the one that LLaMA-Factory trains with, so that evaluation prompts have the same form. Raises `InputError` for a
    template whose tokens would differ between training and evaluation (`tokens.row_form`), and for a name in
    `adapted_layers`, those that trainings give an adapter, that is not the end of the name of one of its layers, or
    that is `all` where LLaMA-Factory finds none.
    """
    source = model["source"]
    with checksummed_folder.create(folder) as partial:
        fetched = hub.paths(source, manifest, "source") if hub.fetched({"source": source}) else []
        if fetched:
            tokenizer = _fetched_tokenizer(source, fetched[0].parent)
        else:
            tokenizer = SOURCES[source["kind"]](source, partial)
        chat_template = tokens.chat_template(tokenizer, model["template"])
        row_form = tokens.row_form(tokenizer, model["template"])
        tokenizer.chat_template = chat_template
        tokenizer.save_pretrained(partial)
        _link(fetched, partial)
        _check_layers(partial, adapted_layers, folder)
        files.write_json(
            partial / summary.NAME,
            {
                "row_form": row_form,
                "parameters": sum(map(_parameters, partial.glob("*.safetensors"))),
                "provenance": provenance.record({}, {"model": model}, code, ("torch", "transformers", "llamafactory")),
            },
        )


def _check_layers(folder: Path, names: Collection[str], path: str | Path) -> None:
    """Raise `InputError`, of the model at `path`, unless all `names` are of layers; by its configuration alone."""
    if not names:
        return
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder, local_files_only=True))
    layers = [f".{name}" for name, module in network.named_modules() if not list(module.children())]
    named = sorted(set(names) - {"all"})
    if unknown := [name for name in named if not any(layer.endswith(f".{name}") for layer in layers)]:
        sentence = f"this model has no layer {', '.join(map(repr, unknown))}"
        raise InputError("unknown-layer", sentence, path=path, key="lora_target")
    if "all" in names and not find_all_linear_modules(network, freeze_vision_tower=True):
        # GPT-2's, which are linear layers by another name.
        found = {name.rpartition(".")[2] for name, module in network.named_modules() if isinstance(module, Conv1D)}
        sentence = "LLaMA-Factory finds no linear layer in this model, so `all` trains nothing; name the layers"
        hint = f": {','.join(sorted(found))}" if found else ""
        raise InputError("no-linear-layer", f"{sentence}{hint}", path=path, key="lora_target")


def _parameters(path: Path) -> int:
    """The number of parameters in a file of weights, from its header alone."""
    with safe_open(path, framework="pt") as weights:
        return sum(torch.Size(weights.get_slice(name).get_shape()).numel() for name in weights.keys())  # noqa: SIM118


def _from_gguf_package(source: dict, folder: Path) -> PreTrainedTokenizerBase:
    path = path_in_package(source["package"], source["file"])
    AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).save_pretrained(folder)
    return _gguf_tokenizer(path)


def _random(source: dict, folder: Path) -> PreTrainedTokenizerBase:
    torch.manual_seed(source["seed"])
    configuration = AutoConfig.for_model(**source["config"])
    AutoModelForCausalLM.from_config(configuration, dtype=torch.float32).save_pretrained(folder)
    path = path_in_package(source["tokenizer"]["package"], source["tokenizer"]["file"])
    return _gguf_tokenizer(path)


def _gguf_tokenizer(path: Path) -> PreTrainedTokenizerBase:
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    # transformers does not always read this: for SmolLM2 it takes `<|im_start|>`, but the file says `<|im_end|>`.
    end = GGUFReader(path).fields["tokenizer.ggml.eos_token_id"].contents()
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(int(end))
    return tokenizer


def _fetched_tokenizer(source: dict, folder: Path) -> PreTrainedTokenizerBase:
    try:
        return AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        sentence = f"no tokenizer can be read from these files ({reason}); add the tokenizer's files to the list"
        raise InputError(
            "no-tokenizer", sentence, path=source.get("repository") or source["folder"], key="source.files"
        ) from error


def _link(fetched: list[Path], folder: Path) -> None:
    """Link to fetched files, except to those of the tokenizer and its template, which `folder` has already.

    Links come last, because to write to one is to write to the user's mirror.
    """
    for path in fetched:
        if not path.name.startswith(TOKENIZER) and not (folder / path.name).exists():
            (folder / path.name).symlink_to(path.resolve())


SOURCES = {"gguf-package": _from_gguf_package, "random": _random}
