"""One process of a training by LLaMA-Factory. It is run by path, alone or under torchrun, without installation.

Without a GPU, it makes the trainer and DeepSpeed use the CPU.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Python put this file's folder first on the path, but the library's folder is needed there.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    import torch

    # Its `__init__` must run before LLaMA-Factory is imported.
    import instruction_selection.models  # noqa: F401

    if not torch.cuda.is_available():
        print("No GPU is visible: training on the CPU.", flush=True)
        os.environ["DS_ACCELERATOR"] = "cpu"
        sys.argv.append("use_cpu=true")
    # Otherwise DeepSpeed would run code in the checkpoint that it resumes from.
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    if "LOCAL_RANK" in os.environ:
        from instruction_selection.models import deepspeed_checkpoint

        torch.serialization.add_safe_globals(deepspeed_checkpoint.SAFE_GLOBALS)
    # Not `llamafactory-cli`, which starts one process for every visible GPU.
    from llamafactory.train.tuner import run_exp

    from instruction_selection.core import processes
    from instruction_selection.models import row_templates  # noqa: F401  (registers them)
    from instruction_selection.training.divergence import StopWhenDiverged
    from instruction_selection.training.layers import StopAtUnknownLayers

    with processes.reporting_memory():
        run_exp(callbacks=[StopAtUnknownLayers(), StopWhenDiverged()])
