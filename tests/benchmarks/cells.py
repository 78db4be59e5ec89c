"""Where the time of a cell goes: start-up, loading and work of fine-tunings and evaluations.

.venv/bin/python tests/benchmarks/cells.py results/study/draw1 32

The arguments are the results of an experiment or of a draw, of which the model, the pool and the targets are there, and
a number of rows: fine-tunings are on that many random rows of the pool, evaluations of that many of each target. The
settings are those of config/experiments/study.yaml, except where a line says otherwise.

Start-up is a process that only imports; work is what a job counts itself (`core.worked`); loading is the rest. Seconds
by the clock with one thread, so nothing else should run on the machine.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow"))

from instruction_selection.core import example, files, worked  # noqa: E402
from instruction_selection.core.processes import environment  # noqa: E402
from instruction_selection.evaluation import harness  # noqa: E402
from instruction_selection.experiment import load  # noqa: E402
from instruction_selection.training import checkpoints, llamafactory  # noqa: E402

IMPORTS = {
    "evaluation": "import torch, peft, lm_eval.__main__, lm_eval.models.huggingface",
    "fine-tuning": "import torch, instruction_selection.models; from llamafactory.train.tuner import run_exp",
}
FINETUNINGS = [
    {"per_device_train_batch_size": 4, "flash_attn": "auto"},
    {"per_device_train_batch_size": 1, "flash_attn": "auto"},
    {"per_device_train_batch_size": 1, "flash_attn": "disabled"},
]
EVALUATIONS = [
    {"dtype": dtype, "batch_size": size} for dtype, size in (("float32", 16), ("bfloat16", 16), ("bfloat16", 4))
]
STUDY = load.load(REPOSITORY / "config", "study")


def seconds(job: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    job(*arguments)
    return time.perf_counter() - start


def imported(code: str, folder: Path) -> None:
    variables = environment(folder) | {"PYTHONPATH": str(REPOSITORY / "workflow")}
    subprocess.run([sys.executable, "-c", code], env=variables, check=True, capture_output=True)


def evaluated(name: str, rows: list, model: Path, adapter: Path, folder: Path, settings: dict) -> None:
    benchmark = STUDY.benchmarks[name].plain()
    harness.write_tasks(name, benchmark, rows, [], folder / "tasks")
    settings = {"backend": "hf", "chat_template": True, **settings}
    harness.evaluate(name, benchmark, folder / "tasks", model, adapter, settings)


def trained(rows: list, model: Path, folder: Path, settings: dict) -> Path:
    arguments = STUDY.training["finetune"].plain() | settings
    files.write_jsonl(folder / "rows.jsonl", rows)
    return llamafactory.train(folder / "rows.jsonl", model, "smollm_eot", 384, arguments, 0, folder / "training")


def main() -> None:
    results, count = Path(sys.argv[1]), int(sys.argv[2])
    os.environ["OMP_NUM_THREADS"] = "1"
    [model] = (results / "models").glob("[!.]*")
    [pool] = (results / "pools").glob("*/pool.jsonl")
    drawn = random.Random(0).sample(example.read(pool), count)
    lines = [f"{f'seconds, {count} rows, one thread':72}{'start-up':>9}{'loading':>9}{'work':>9}"]

    def measured(stage: str, label: str, settings: dict, job: Callable[..., object], *arguments: object) -> None:
        with tempfile.TemporaryDirectory() as folder:
            start = seconds(imported, IMPORTS[stage], Path(folder))
        with tempfile.TemporaryDirectory() as folder:
            with worked.recorded_beside(Path(folder) / "job.log"):
                whole = seconds(job, *arguments, Path(folder), settings)
            work = files.read_json(Path(folder) / "job.json")["seconds"]
        label = ", ".join([label, *(f"{key}: {value}" for key, value in settings.items())])
        lines.append(f"{label:72}{start:9.1f}{whole - start - work:9.1f}{work:9.1f}")
        # All lines again, because the programs print as well.
        print(*lines, sep="\n", flush=True)

    for settings in FINETUNINGS:
        measured("fine-tuning", "fine-tuning", settings, trained, drawn, model)
    with tempfile.TemporaryDirectory() as folder:
        adapter = Path(folder) / "adapter"
        checkpoints.keep_weights(trained(drawn[:4], model, Path(folder), FINETUNINGS[-1]), adapter)
        for target in sorted((results / "targets").glob("[!.]*")):
            rows = example.read(target / "evaluation.jsonl")[:count]
            for settings in EVALUATIONS:
                measured("evaluation", target.name, settings, evaluated, target.name, rows, model, adapter)


if __name__ == "__main__":
    main()
