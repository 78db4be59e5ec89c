"""The summary that `prepare.prepare` writes beside a model; readable without torch or LLaMA-Factory."""

import hashlib
import json
from pathlib import Path
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.errors import InputError

NAME = "model.json"


def made_of(folder: str | Path) -> dict[str, Any]:
    """What identifies the model in a folder made by `prepare`, for the records of results: its weights' hash and the
    settings that it was prepared with."""
    path = Path(folder) / NAME
    summary = files.read_json(path)
    weights = json.dumps(summary["weights"], sort_keys=True)
    return {
        "path": str(folder),
        "sha256": hashlib.sha256(weights.encode()).hexdigest(),
        "parameters": summary["provenance"]["parameters"],
    }


def row_form(folder: str | Path) -> dict:
    """How training begins and ends an example (see `tokens.row_form`), for a model folder made by `prepare`."""
    path = Path(folder) / NAME
    summary = files.read_json(path)
    if "row_form" not in summary:
        raise InputError(
            "old-model",
            f"an earlier version prepared this model; delete {folder} and run again",
            path=path,
            key="row_form",
        )
    return summary["row_form"]
