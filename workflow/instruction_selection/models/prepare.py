"""Turn a model's source into one local folder with safetensors weights, tokenizer and chat template."""

from collections.abc import Mapping
from pathlib import Path

import torch
from gguf import GGUFReader
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

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
    code: Mapping[str, str] | None = None,
) -> None:
    """Write the model described by a ``config/models`` entry to `folder`, either whole or not at all.

    `manifest` lists the files of a model that had to be fetched; these are linked to, not copied. The chat template is
    the one that LLaMA-Factory trains with, so that evaluation prompts have the same form. Raises `InputError` for a
    template whose tokens would differ between training and evaluation (`tokens.row_form`).
    """
    source = model["source"]
    with checksummed_folder.create(folder) as partial:
        fetched = hub.paths(source, manifest, "source") if hub.fetched({"source": source}) else []
        if fetched:
            tokenizer = _fetched_tokenizer(source, fetched[0].parent)
        else:
            tokenizer = SOURCES[source["kind"]](source, partial)
        row_form = tokens.row_form(tokenizer, model["template"])
        tokenizer.chat_template = tokens.chat_template(tokenizer, model["template"])
        tokenizer.save_pretrained(partial)
        _link(fetched, partial)
        files.write_json(
            partial / summary.NAME,
            {
                "row_form": row_form,
                "parameters": sum(map(_parameters, partial.glob("*.safetensors"))),
                "provenance": provenance.record({}, {"model": model}, code, ("torch", "transformers", "llamafactory")),
            },
        )


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
