"""Whether the results of a cell belong together, by what each says of itself and not by the times of files."""

from pathlib import Path
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.tables.cells import CellFiles


def check(cell: CellFiles, training: dict[str, Any], evaluation: dict[str, Any]) -> None:
    """`InputError` unless the evaluation is of the adapter that the training made, of the rows that were selected.

    `training` and `evaluation` are the experiment's settings as plain data, with which the results must have been made.
    """
    evaluated = files.read_json(cell.evaluation)["provenance"]
    _check_settings(cell.evaluation, "evaluation", evaluated["parameters"], evaluation)
    if cell.training is None or cell.selection is None:
        return
    trained = files.read_json(cell.training)
    _check_settings(cell.training, "fine-tuning", trained["provenance"]["parameters"]["training"], training)
    if evaluated["inputs"]["adapter"]["sha256"] != trained["adapter"]:
        sentence = f"of another adapter than {cell.training}; delete it and run again"
        raise InputError("other-adapter", sentence, path=cell.evaluation)
    # A method with its own rule need not write it.
    selected = files.read_json(cell.selection).get("sha256")
    if selected and trained["provenance"]["inputs"]["rows"]["sha256"] != selected:
        sentence = f"of other rows than {cell.selection}; delete it and run again"
        raise InputError("other-selection", sentence, path=cell.training)


def _check_settings(path: str | Path, stage: str, made_with: dict[str, Any], wanted: dict[str, Any]) -> None:
    if made_with != wanted:
        differing = sorted(key for key in made_with.keys() | wanted.keys() if made_with.get(key) != wanted.get(key))
        sentence = f"made with other settings of the {stage} than the experiment has; delete it and run again"
        raise InputError("other-settings", sentence, path=path, key=", ".join(differing))
