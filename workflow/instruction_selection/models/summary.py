"""The summary that `prepare.prepare` writes beside a model; readable without torch or LLaMA-Factory."""

from pathlib import Path
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.errors import InputError

NAME = "model.json"


def read(folder: str | Path) -> dict[str, Any]:
    """The summary in a model folder made by `prepare`."""
    return files.read_json(Path(folder) / NAME, folder)


def row_form(folder: str | Path) -> dict[str, Any]:
    """How training begins and ends an example (see `tokens.row_form`), for a model folder made by `prepare`."""
    summary = read(folder)
    if "row_form" not in summary:
        raise InputError(
            "old-model",
            f"an earlier version prepared this model; delete {folder} and run again",
            path=Path(folder) / NAME,
            key="row_form",
        )
    return summary["row_form"]
