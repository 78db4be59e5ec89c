"""lm-eval's command line with the model `<backend>-answers`. It is run by path, without installation.

The first argument is the backend, `hf` or `vllm`, and the second is the file (JSON) that gets the seconds in which the
model answered; the others are lm-eval's.
"""

import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Python put this file's folder first on the path, but the library's folder is needed there.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    import lm_eval.tasks
    from lm_eval.__main__ import cli_evaluate

    from instruction_selection.core import files, processes
    from instruction_selection.core.errors import InputError
    from instruction_selection.evaluation import answers

    class OwnTasks(lm_eval.tasks.TaskManager):
        """Knows the tasks of `--include_path`. For lm-eval's own it would read 13,000 files, for seconds."""

        def __init__(self, *arguments: Any, **keys: Any):
            super().__init__(*arguments, **keys, include_defaults=False)

    # Its command line has no option for it.
    lm_eval.tasks.TaskManager = OwnTasks
    answers.register(sys.argv.pop(1))
    seconds = sys.argv.pop(1)
    try:
        with processes.reporting_memory():
            cli_evaluate()
        files.write_json(seconds, {"seconds": answers.Timed.seconds})
    except InputError as error:
        sys.exit(str(error))
