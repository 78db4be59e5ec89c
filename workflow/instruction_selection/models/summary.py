"""The summary that `prepare.prepare` writes beside a model; readable without torch or LLaMA-Factory."""

from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError

NAME = "model.json"


def row_form(folder: str | Path) -> dict:
    """How training begins and ends an example (see `tokens.row_form`), for a model folder made by `prepare`."""
    path = Path(folder) / NAME
    summary = files.read_json(path, folder)
    if "row_form" not in summary:
        raise InputError(
            "old-model",
            f"an earlier version prepared this model; delete {folder} and run again",
            path=path,
            key="row_form",
        )
    return summary["row_form"]
