"""The tokens of a batch: as the experiment says, or the most that the card fits by the prediction of its memory."""

from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError


def of_model(given: int | None, predicted: str | Path, model: str) -> int:
    """`given`, or without it what `scripts/predict_memory.py` wrote to `predicted` for a model.

    Raises `InputError` if there is no prediction for the model. A run makes it before its first job.
    """
    if given is not None:
        return given
    found = files.read_json(predicted) if Path(predicted).is_file() else {}
    if model not in found:
        sentence = f"it has no prediction for {model}; run `snakemake estimate` for this experiment, or set this key"
        raise InputError("no-prediction", sentence, path=predicted, key="gradients.batch_tokens")
    return found[model]["batch_tokens"]
