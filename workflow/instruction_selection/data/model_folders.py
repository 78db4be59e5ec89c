"""Whether a folder on disk is a model that jobs can use: looked at before any job starts."""

from pathlib import Path

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
