"""LLaMA-Factory's command line for the machine at hand; run by path, so that nothing has to be installed.

Without torchaudio, which LLaMA-Factory imports and text models do not use, an empty module stands in for it; without
a GPU, the trainer is told to use the processor. Under torchrun it is one of several processes.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Python put this file's folder first on the path; the library's is the one that is needed.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    import torch

    from instruction_selection.missing import stand_in_for

    stand_in_for("torchaudio", "text models do not use it")
    if not torch.cuda.is_available():
        sys.argv.append("use_cpu=true")
    if "LOCAL_RANK" in os.environ:
        from llamafactory.train.tuner import run_exp

        sys.argv.remove("train")
        run_exp()
    else:
        from llamafactory.cli import main

        main()
