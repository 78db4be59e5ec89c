"""What large experiments cost: planning 10,000 cells, sampling a pool of a million rows, joining 1,000 shards.

.venv/bin/python tests/benchmarks/load.py [cells] [rows] [shards]

Each is measured in a process of its own: seconds, and MB at the peak.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow"))

CELLS, ROWS, SHARDS = 10_000, 1_000_000, 1_000


def cells(folder: Path) -> None:
    """A dry run of 10 targets x 4 methods x 5 ratios x 50 seeds: 10,000 evaluations and as many fine-tunings."""
    ignored = shutil.ignore_patterns("results", ".snakemake", ".venv", ".git")
    checkout = Path(shutil.copytree(REPOSITORY, folder / "checkout", ignore=ignored))
    experiment = yaml.safe_load((checkout / "config/experiments/smoke.yaml").read_text())
    experiment |= {
        "targets": {f"target{number}": {"validation_rows": 8, "evaluation_rows": 8} for number in range(10)},
        "methods": ["sbert", "less", "g2is", "length-random"],
        "ratios": [0.1, 0.2, 0.3, 0.4, 0.5],
        "seeds": list(range(CELLS // 200)),
    }
    for name in experiment["targets"]:
        logic = (checkout / "config/benchmarks/logic.yaml").read_text()
        (checkout / f"config/benchmarks/{name}.yaml").write_text(logic.replace("label: Logic", f"label: {name}"))
    (checkout / "config/experiments/load.yaml").write_text(yaml.safe_dump(experiment))
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "all", "--config", "experiment=load"]
    measured(f"{CELLS:,} cells planned", lambda: subprocess.run(command, cwd=checkout, check=True, capture_output=True))


def rows(folder: Path) -> None:
    """All rows of a JSON-lines file, and one in a hundred, drawn in proportion to ten tasks and written as a pool."""
    from instruction_selection.core import files
    from instruction_selection.data.sampling import draw

    source = folder / "source.jsonl"
    files.write_jsonl(source, ({"q": f"What is {n} + 1?", "a": str(n + 1), "t": f"task{n % 10}"} for n in range(ROWS)))
    layout = {"member": None, "columns": None, "key": None}
    layout |= {"task": "{{t}}", "instruction": "{{q}}", "response": "{{a}}"}
    for count in (ROWS // 100, ROWS):
        drawn = draw(layout, [source], count, seed=0)
        measured(f"{count:,} of {ROWS:,} rows sampled", lambda drawn=drawn: files.write_jsonl(folder / "pool", drawn))


def shards(folder: Path) -> None:
    """Stores of 10 rows of 64 numbers, joined and read."""
    import numpy as np

    from instruction_selection.features.gradients import store

    identity = {key: key for key in store.COMPARABLE if key != "schema_version"}
    paths = [folder / "shards" / f"{number}.h5" for number in range(SHARDS)]
    for number, path in enumerate(paths):
        ids = [f"{number}-{row}" for row in range(10)]
        with store.Writer(path, ids, 64, ["adam"], identity) as writer:
            gradients = np.random.default_rng(number).normal(size=(10, 64))
            writer.write(list(range(10)), {"adam": gradients}, np.ones(10), [1] * 10)
    measured(f"{SHARDS:,} shards joined", lambda: store.gather(paths, folder / "pool.h5", 10 * SHARDS))
    measured(f"{SHARDS:,} shards read", lambda: store.Reader(folder / "pool.h5").unit("adam"))


def measured(what: str, work: Callable) -> None:
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{what}: {seconds:.1f} s, {peak / 1024:.0f} MB peak", flush=True)


PARTS = {"cells": cells, "rows": rows, "shards": shards}

if __name__ == "__main__":
    if len(sys.argv) == 2:
        with tempfile.TemporaryDirectory() as temporary:
            PARTS[sys.argv[1]](Path(temporary))
    else:
        for part in sys.argv[1:] or PARTS:
            subprocess.run([sys.executable, __file__, part], check=True)
