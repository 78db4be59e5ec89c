"""Stop training when the loss or the gradient norm is NaN or infinite."""

import math

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from instruction_selection.core import files
from instruction_selection.training import DIVERGED


class StopWhenDiverged(TrainerCallback):
    """Stops at the first logged step whose loss or gradient norm is not finite, before its checkpoint is written.

    The step and the value go to the file DIVERGED in the output folder, for the process that waits for the training.
    """

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **others: object,
    ) -> None:
        logs = logs or {}
        for name in ("loss", "grad_norm"):
            if name in logs and not math.isfinite(logs[name]):
                files.write_json(f"{args.output_dir}/{DIVERGED}", {"step": state.global_step, name: str(logs[name])})
                raise FloatingPointError(f"{name} is {logs[name]} at step {state.global_step}")
