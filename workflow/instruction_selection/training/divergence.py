"""A training whose numbers are none any more is stopped, and says so."""

import math

from transformers import TrainerCallback

from instruction_selection.core import files

#: In the training's output folder, for the process that waits for the training.
NAME = "diverged.json"


class StopWhenDiverged(TrainerCallback):
    """Stops at the first logged step whose loss or gradient norm is not finite, before a checkpoint is made of it."""

    def on_log(self, args, state, control, logs=None, **others):
        for name in ("loss", "grad_norm"):
            if name in (logs or {}) and not math.isfinite(logs[name]):
                files.write_json(f"{args.output_dir}/{NAME}", {"step": state.global_step, name: str(logs[name])})
                raise FloatingPointError(f"{name} is {logs[name]} at step {state.global_step}")
