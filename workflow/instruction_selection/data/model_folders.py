"""Whether a folder on disk is a model that jobs can use: looked at before any job starts."""

from pathlib import Path
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.errors import InputError

#: Files of which a tokenizer needs one.
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
#: Names of pickled weights, which run code when they are read.
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def check(folder: str | Path) -> None:
    """Raise `InputError` unless there are a configuration, a tokenizer, and weights as safetensors."""
    path, key = Path(folder), "source.folder"
    if not (path / "config.json").is_file():
        raise InputError("not-a-model", "has no config.json, so it is not a model's folder", path=path, key=key)
    if not any(path.glob("*.safetensors")):
        pickles = sorted(found.name for pattern in PICKLES for found in path.glob(pattern))
        what = f"its weights are pickled ({pickles[0]})" if pickles else "it has no weights"
        sentence = f"{what}; save them with save_pretrained(safe_serialization=True)"
        raise InputError("no-safetensors", sentence, path=path, key=key)
    if not any((path / name).is_file() for name in TOKENIZERS):
        sentence = f"has no tokenizer ({', '.join(TOKENIZERS)}); save it there with save_pretrained"
        raise InputError("no-tokenizer", sentence, path=path, key=key)


def check_template(folder: str | Path, template: str, writes_bos: bool) -> None:
    """Raise `InputError` for a template that the tokenizer in a model's folder shows not to fit.

    `template` is that of config/models, and `writes_bos` whether it may write the beginning-of-sequence token. Only the
    files are read, without the packages behind them; `models.tokens.row_form` sees more, when the model is prepared.
    """
    path = Path(folder)
    config = _json(path / "tokenizer_config.json")
    if template == "tokenizer":
        if not config.get("chat_template") and not (path / "chat_template.jinja").is_file():
            sentence = f"the tokenizer in {path} has no chat template; name LLaMA-Factory's template of this family"
            raise InputError("no-chat-template", sentence, key="template")
    elif not writes_bos and (token := _put_first(config, _json(path / "tokenizer.json"))):
        sentence = f"{template!r} omits {token!r}, which the tokenizer in {path} puts first"
        raise InputError("template-without-bos", f"{sentence}; for a base model, use 'alpaca_bos'", key="template")


def _put_first(config: dict[str, Any], tokenizer: dict[str, Any]) -> str | None:
    """The beginning-of-sequence token, if the tokenizer puts it before every text."""
    bos = config.get("bos_token")
    bos = bos.get("content") if isinstance(bos, dict) else bos
    if not isinstance(bos, str) or config.get("add_bos_token") is False:
        return None
    processor = tokenizer.get("post_processor") or {}
    steps = [processor, *processor.get("processors", [])]
    begins = [step["single"][0] for step in steps if step.get("type") == "TemplateProcessing" and step.get("single")]
    puts_first = any(begin.get("SpecialToken", {}).get("id") == bos for begin in begins)
    return bos if puts_first or config.get("add_bos_token") else None


def _json(path: Path) -> dict[str, Any]:
    return files.read_json(path) if path.is_file() else {}
