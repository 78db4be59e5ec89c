"""LLaMA-Factory's command line, for machines without torchaudio; run by path, so nothing has to be installed."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # The script's own folder comes first on the path and would shadow nothing useful.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from instruction_selection.missing import stand_in_for

    stand_in_for("torchaudio", "text models do not use it")
    from llamafactory.cli import main

    main()
