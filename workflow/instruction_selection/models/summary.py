"""What `prepare.prepare` writes beside a model; readable in environments without torch or LLaMA-Factory."""

from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.uncoded_errors import InputError

NAME = "model.json"


def row_form(folder: str | Path) -> dict:
    """How training begins and ends a row (see `tokens.row_form`) of the model in a folder made by `prepare`."""
    path = Path(folder) / NAME
    summary = files.read_json(path)
    if "row_form" not in summary:
        raise InputError(f"{path}: no key 'row_form'; delete {folder}, and run again.")
    return summary["row_form"]
