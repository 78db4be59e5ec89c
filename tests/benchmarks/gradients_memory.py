"""Peak memory of a gradient job over 1,000 and 10,000 rows, with the smoke experiment's model.

make smoke
.venv/bin/python tests/benchmarks/gradients_memory.py
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow"))

from instruction_selection.core import files  # noqa: E402
from instruction_selection.data import sampling  # noqa: E402

JOB = """
import json, resource, sys, time
from instruction_selection.features.gradients import compute
start = time.perf_counter()
compute.fill(*json.loads(sys.argv[1]))
print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB peak, {time.perf_counter() - start:.0f} s")
"""


def main() -> None:
    results = REPOSITORY / "results" / "smoke"
    warmup = results / "warmup" / "tiny-llama" / "reasoning" / "checkpoint1"
    settings = {
        "projection": {"kind": "sjlt", "dimension": 256, "seed": 0},
        "batch_tokens": 2048,
        "precision": "fp32",
    }
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow")}
    with tempfile.TemporaryDirectory() as folder:
        for count in (1_000, 10_000):
            path = Path(folder) / f"{count}.jsonl"
            files.write_jsonl(path, sampling.sample("reasoning-gym", ["chain_sum"], "pool", count, seed=0))
            arguments = [
                *(Path(folder) / f"{count}.h5", path, (0, 1), results / "models" / "tiny-llama", warmup / "adapter"),
                *(["adam"], warmup / "moments.safetensors", "smollm_eot", 128, settings),
            ]
            command = [sys.executable, "-c", JOB, json.dumps(arguments, default=str)]
            print(f"{count:,} rows:", end=" ", flush=True)
            subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
