"""What there is to choose from: every entry of every folder of config/, with its one-line summary."""

import textwrap
from pathlib import Path

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import yaml_loader
from instruction_selection.experiment.folders import Folders

#: Kinds of entry, and the key with their summary.
KINDS = {
    "experiments": "summary",
    "tables": "caption",
    "models": "summary",
    "encoders": "summary",
    "pools": "summary",
    "benchmarks": "summary",
    "methods": "summary",
}


def text(config: str | Path | Folders) -> str:
    """One block per kind; names in a column, then their summaries."""
    blocks = []
    for kind, key in KINDS.items():
        entries = {path.stem: _summary(path, key) for path in Folders.of(config).files(kind)}
        if entries:
            width = max(map(len, entries)) + 2
            blocks.append("\n".join([kind, *(_entry(name, width, summary) for name, summary in entries.items())]))
    return "\n\n".join(blocks) + "\n"


def _summary(path: Path, key: str) -> str:
    try:
        return yaml_loader.read(path)[key]
    except (KeyError, TypeError) as error:
        raise InputError(
            "nothing-to-list", "is missing, and the list of entries shows it", path=path, key=key
        ) from error


def _entry(name: str, width: int, summary: str) -> str:
    indent = " " * (width + 2)
    return textwrap.fill(f"  {name:{width}}{summary}", 120, subsequent_indent=indent, break_on_hyphens=False)
