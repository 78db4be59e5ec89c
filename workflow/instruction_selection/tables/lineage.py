"""Whether the results in a table belong together, by what each says of itself and not by the times of files."""

from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError


def refuse_mixture(cell: dict, training: dict, evaluation: dict) -> None:
    """`InputError` unless a cell's evaluation is of the adapter that its training made, of the rows that were selected.

    `cell` has the paths `evaluation`, `training` and `selection`, the latter two None for the untuned model. `training`
    and `evaluation` are the experiment's settings, which the results must have been made with.
    """
    evaluated = files.read_json(cell["evaluation"])["provenance"]
    _refuse_other_settings(cell["evaluation"], "evaluation", evaluated["parameters"], evaluation)
    if cell["training"] is None:
        return
    trained = files.read_json(cell["training"])
    _refuse_other_settings(cell["training"], "fine-tuning", trained["provenance"]["parameters"]["training"], training)
    if evaluated["inputs"]["adapter"]["sha256"] != trained["adapter"]:
        sentence = f"of another adapter than {cell['training']}; delete it and run again"
        raise InputError("other-adapter", sentence, path=cell["evaluation"])
    # A method with a rule of its own need not say it.
    selected = files.read_json(cell["selection"]).get("sha256")
    if selected and trained["provenance"]["inputs"]["rows"]["sha256"] != selected:
        sentence = f"of other rows than {cell['selection']}; delete it and run again"
        raise InputError("other-selection", sentence, path=cell["training"])


def _refuse_other_settings(path: str | Path, stage: str, made_with: dict, wanted: dict) -> None:
    if made_with != wanted:
        keys = sorted(key for key in made_with.keys() | wanted.keys() if made_with.get(key) != wanted.get(key))
        raise InputError(
            "other-settings",
            f"made with other settings of the {stage} than the experiment has ({', '.join(keys)}); "
            "delete it and run again",
            path=path,
        )
