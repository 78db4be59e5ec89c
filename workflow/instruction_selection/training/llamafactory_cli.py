"""One process of a training by LLaMA-Factory; run by path, alone or under torchrun, so that nothing is installed.

Without a GPU, the trainer and DeepSpeed are told to use the processor.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Python put this file's folder first on the path; the library's is the one that is needed.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    import torch

    # For what its `__init__` does, before LLaMA-Factory is imported.
    import instruction_selection.models  # noqa: F401

    if not torch.cuda.is_available():
        print("No GPU can be seen: training on the processor.", flush=True)
        os.environ["DS_ACCELERATOR"] = "cpu"
        sys.argv.append("use_cpu=true")
    # DeepSpeed would run what may be in the checkpoint that it goes on from.
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    if "LOCAL_RANK" in os.environ:
        from instruction_selection.models import deepspeed_checkpoint

        torch.serialization.add_safe_globals(deepspeed_checkpoint.SAFE_GLOBALS)
    # Not `llamafactory-cli`, which starts one process for every GPU that it sees.
    from llamafactory.train.tuner import run_exp

    from instruction_selection.models import row_templates  # noqa: F401  (registers them)
    from instruction_selection.training.divergence import StopWhenDiverged

    run_exp(callbacks=[StopWhenDiverged()])
