"""Where the time of a cell goes: start-up, loading and work of one fine-tuning and one evaluation.

.venv/bin/python tests/benchmarks/cells.py results/mini/models/smollm2-135m results/mini/targets/gsm8k-mini 64

The arguments are a prepared model, a sampled target, and the number of its evaluation rows to train on and to score by
log-likelihood. Start-up is a process that only imports; loading is the same job with few rows, less start-up; work is
the job with all rows, less the one with few. Seconds of processor time, which other jobs on the machine change less
than wall time does.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow"))

from instruction_selection.core import example, files  # noqa: E402
from instruction_selection.core.processes import environment  # noqa: E402
from instruction_selection.evaluation import harness  # noqa: E402
from instruction_selection.experiment import load  # noqa: E402
from instruction_selection.training import llamafactory  # noqa: E402

#: Rows of the job whose time is loading.
FEW = 8
IMPORTS = {
    "evaluation": "import torch, peft, lm_eval.__main__, lm_eval.models.huggingface",
    "fine-tuning": "import torch, instruction_selection.models; from llamafactory.train.tuner import run_exp",
}
#: Batch size and precision.
EVALUATIONS = [(16, "float32"), (16, "bfloat16")]
FINETUNINGS = [(4, False), (4, True)]


def seconds(job: Callable[..., object], *arguments: object) -> float:
    """Processor time of the processes that `job` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    job(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imported(code: str, folder: Path) -> None:
    variables = environment(folder) | {"PYTHONPATH": str(REPOSITORY / "workflow")}
    subprocess.run([sys.executable, "-c", code], env=variables, check=True, capture_output=True)


def evaluated(model: Path, rows: list, folder: Path, batch_size: int, dtype: str) -> None:
    benchmark = load.load(REPOSITORY / "config", "study").benchmarks["gsm8k-likelihood"].plain()
    harness.write_tasks("gsm8k-likelihood", benchmark, rows, [], folder)
    settings = {"backend": "hf", "batch_size": batch_size, "dtype": dtype, "chat_template": True}
    harness.evaluate("gsm8k-likelihood", benchmark, folder, model, None, settings)


def trained(model: Path, rows: list, folder: Path, batch_size: int, bf16: bool) -> None:
    arguments = load.load(REPOSITORY / "config", "study").training["finetune"].plain()
    arguments |= {"per_device_train_batch_size": batch_size, "bf16": bf16}
    files.write_jsonl(folder / "rows.jsonl", rows)
    llamafactory.train(folder / "rows.jsonl", model, "smollm_eot", 384, arguments, 0, folder / "training")


def main() -> None:
    model, target, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    rows = example.read(target / "evaluation.jsonl")[:count]
    os.environ["OMP_NUM_THREADS"] = "1"
    lines = [f"{f'processor seconds, {len(rows)} rows, one thread':47}{'start-up':>9}{'loading':>9}{'work':>9}"]
    pairs = zip(EVALUATIONS, FINETUNINGS, strict=True)
    jobs = [job for one, other in pairs for job in (("evaluation", evaluated, one), ("fine-tuning", trained, other))]
    for stage, job, options in jobs:
        spent = []
        with tempfile.TemporaryDirectory() as folder:
            spent.append(seconds(imported, IMPORTS[stage], Path(folder)))
            for number in (FEW, len(rows)):
                into = Path(folder, str(number))
                into.mkdir()
                spent.append(seconds(job, model, rows[:number], into, *options))
        start, few, everything = spent
        label = f"{stage}, batches of {options[0]}, {options[1]}"
        lines.append(f"{label:47}{start:9.1f}{few - start:9.1f}{everything - few:9.1f}")
        # All lines again, because the programs print as well.
        print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()
