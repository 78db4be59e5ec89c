"""Rows and tokens per second of the gradient store, beside its floor and its peers, in one run.

    make demo                                             # makes the model, the warm-up and the pool
    .venv/bin/python -m pip install --no-deps -r envs/benchmarks.txt
    .venv/bin/python tests/benchmarks/gradients.py --rows 64

floor    forward and backward of the same batches as a trainer does them: no gradient per row, nothing kept
store    this project's, everything included: tokens to finished HDF5 file
LESS     the published loop: one row at a time, then TRAK's BasicProjector (Rademacher, 16 rows at once). Its projector
         makes the matrix in 64 equal blocks of 128 columns; of these --less-blocks are timed; the rest is extrapolated.
         In single precision: published is half, in which a CPU multiplies a hundred times slower.
bergson  `bergson build` of EleutherAI's library, its own start-up left out of the time
"""

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow"))

from instruction_selection.core import files  # noqa: E402
from instruction_selection.features.gradients import (  # noqa: E402
    adam,
    compute,
    moments,
    parameters,
    per_sample,
)
from instruction_selection.features.gradients import store as gradients_store  # noqa: E402
from instruction_selection.models import batching, tokens  # noqa: E402
from instruction_selection.models.tokenized_example import IGNORE_INDEX  # noqa: E402

TEMPLATE, CUTOFF, DIMENSION = "smollm_eot", 256, 8192
CPU = torch.device("cpu")
#: LESS projects as many rows at once, by blocks of as many columns.
LESS_ROWS, LESS_BLOCK = 16, 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=REPOSITORY / "results" / "demo")
    parser.add_argument("--rows", type=int, default=64, help="rows of the demo's pool")
    parser.add_argument(
        "--less-blocks", type=int, default=2, help="blocks of LESS's projection to time, of 64; 0: none"
    )
    parser.add_argument("--batch-tokens", type=int, default=1024, help="as bergson's here")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="all but LESS take turns; medians count")
    parser.add_argument("--precisions", nargs="+", choices=("fp32", "bf16"), default=("fp32", "bf16"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, Path(folder))
        print(f"{options.rows} rows, {bench.tokens} tokens, {options.threads} threads, D = {DIMENSION}")
        print(f"{'':28}{'seconds':>9}{'rows/s':>9}{'tokens/s':>10}")
        units, seconds_of = {}, {}
        for precision in options.precisions:
            floors, stores, writes, theirs = [], [], [], []
            for _ in range(options.repeats):
                floors.append(bench.floor(precision))
                seconds, writing, units[precision] = bench.store(precision)
                stores.append(seconds)
                writes.append(writing)
                theirs.append(bench.bergson(precision))
                print(f"    {floors[-1]:.1f}, {stores[-1]:.1f}, {theirs[-1]:.1f} s: floor, store, bergson", flush=True)
            floor, ours, writing, peer = map(statistics.median, (floors, stores, writes, theirs))
            bench.line(f"floor, {precision}", floor)
            bench.line(f"store, {precision}", ours)
            bench.line(f"bergson build, {precision}", peer)
            print(f"    store / floor {ours / floor:.2f}; writing {writing / ours:.1%} of the store's time")
            print(f"    store has {peer / ours:.2f} times bergson's tokens/s")
            seconds_of[precision] = ours
        if len(units) == 2:
            cosines = (units["fp32"] * units["bf16"]).sum(1)
            print(f"    bf16 against fp32, cosine of rows: median {np.median(cosines):.5f}, least {cosines.min():.5f}")
        if not options.less_blocks or "fp32" not in units:
            return
        gradients, projection = bench.less(options.less_blocks)
        less = gradients + projection
        bench.line(f"LESS's loop ({LESS_ROWS} rows)", less, LESS_ROWS)
        print(f"    {gradients:.1f} s for gradients, {projection:.0f} s for projecting")
        print(f"    store is {less / LESS_ROWS / (seconds_of['fp32'] / options.rows):.1f} times as fast per row")


class Bench:
    def __init__(self, options: argparse.Namespace, folder: Path):
        results = options.results
        [self.model] = (results / "models").glob("smollm2-135m")
        warmup = results / "warmup" / self.model.name / "reasoning" / "checkpoint1"
        self.adapter, self.moments = warmup / "adapter", warmup / "moments.safetensors"
        self.rows = files.read_jsonl(results / "pools" / "reasoning" / "pool.jsonl")[: options.rows]
        self.folder, self.budget = folder, options.batch_tokens
        files.write_jsonl(folder / "rows.jsonl", self.rows)
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(self.model)
            self.examples = tokens.encode(self.rows, tokenizer, TEMPLATE, CUTOFF)
        self.tokens = sum(len(example.input_ids) for example in self.examples)

    def line(self, name: str, seconds: float, rows: int | None = None) -> None:
        examples = self.examples[:rows]
        count = sum(len(example.input_ids) for example in examples)
        print(f"{name:28}{seconds:9.1f}{len(examples) / seconds:9.2f}{count / seconds:10.0f}", flush=True)

    def floor(self, precision: str) -> float:
        network = parameters.load(self.model, self.adapter, CPU, precision)
        autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
        groups = batching.by_length(self.examples, batching.with_response(self.examples), self.budget)
        start = time.perf_counter()
        for group in groups:
            batch = [self.examples[row] for row in group]
            length = max(len(example.input_ids) for example in batch)
            ids = torch.zeros(len(batch), length, dtype=torch.long)
            labels = torch.full((len(batch), length), IGNORE_INDEX)
            for row, example in enumerate(batch):
                ids[row, : len(example.input_ids)] = torch.tensor(example.input_ids)
                labels[row, : len(example.labels)] = torch.tensor(example.labels)
            positions = (labels[:, 1:] != IGNORE_INDEX).any(0).nonzero()[:, 0]
            with autocast:
                logits = network(input_ids=ids, logits_to_keep=positions, use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(
                logits.float().flatten(0, 1), labels[:, 1:][:, positions].flatten(), ignore_index=IGNORE_INDEX
            )
            loss.backward()
            network.zero_grad()
        return time.perf_counter() - start

    def store(self, precision: str) -> tuple[float, float, np.ndarray]:
        """Seconds in all but for loading model, moments and projection; seconds of writing; the unit rows."""
        settings = {
            "projection": {"kind": "sjlt", "dimension": DIMENSION, "seed": 0},
            "batch_tokens": self.budget,
            "precision": precision,
        }
        path = self.folder / f"{time.time_ns()}.h5"
        # Loading takes as long for 64 rows as for a million; time from the first batch to the finished file.
        marks, writing = [], []
        run, write = per_sample.Batched.run, gradients_store.Writer.write

        def timed_run(*arguments):
            marks.append(time.perf_counter())
            return run(*arguments)

        def timed_write(*arguments, **named):
            start = time.perf_counter()
            write(*arguments, **named)
            writing.append(time.perf_counter() - start)

        per_sample.Batched.run, gradients_store.Writer.write = timed_run, timed_write
        try:
            with quiet():
                compute.fill(
                    *(path, self.folder / "rows.jsonl", (0, 1), self.model, self.adapter, ["adam"], self.moments),
                    *(TEMPLATE, CUTOFF, settings),
                )
        finally:
            per_sample.Batched.run, gradients_store.Writer.write = run, write
        return time.perf_counter() - marks[0], sum(writing), gradients_store.Reader(path).unit("adam")

    def less(self, blocks: int) -> tuple[float, float]:
        """Seconds for the gradients and, extrapolated from `blocks` blocks, for the projection of the first rows."""
        from trak.projectors import BasicProjector, ProjectionType

        network = parameters.load(self.model, self.adapter, CPU, "fp32")
        weights = parameters.trainable(network)
        states = moments.read(self.moments, list(weights), CPU)
        exp_avg, exp_avg_sq = (torch.cat([state[number] for state in states]) for number in (0, 1))
        projector = BasicProjector(
            grad_dim=len(exp_avg),
            proj_dim=blocks * LESS_BLOCK,
            seed=0,
            proj_type=ProjectionType.rademacher,
            device="cpu",
            dtype=torch.float32,
            block_size=LESS_BLOCK,
        )
        start = time.perf_counter()
        gradients = [
            adam.precondition(torch.cat(per_sample.reference(network, example)), exp_avg, exp_avg_sq)
            for example in self.examples[:LESS_ROWS]
        ]
        middle = time.perf_counter()
        projector.project(torch.stack(gradients), model_id=0)
        return middle - start, (time.perf_counter() - middle) * DIMENSION / LESS_BLOCK / blocks

    def bergson(self, precision: str) -> float:
        """Seconds of its batches, by its own progress bar.

        It keeps gradients of 16 x 16 per matrix, 61,440 numbers, not 8192.
        """
        dataset = self.folder / "bergson.jsonl"
        files.write_jsonl(dataset, [{"prompt": row["instruction"], "completion": row["response"]} for row in self.rows])
        # bergson reads an adapter together with the model that its configuration names, which ours does not.
        adapter = self.folder / "adapter"
        shutil.copytree(self.adapter, adapter, dirs_exist_ok=True)
        config = files.read_json(adapter / "adapter_config.json")
        files.write_json(adapter / "adapter_config.json", config | {"base_model_name_or_path": str(self.model)})
        command = [
            *(sys.executable, "-m", "bergson", "build", str(self.folder / "index"), "--model", str(adapter)),
            *("--tokenizer", str(self.model), "--dataset", str(dataset), "--precision", precision),
            *("--prompt_column", "prompt", "--completion_column", "completion", "--truncation"),
            *("--projection_dim", "16", "--token_batch_size", "1024", "--overwrite"),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads()), "HF_HUB_OFFLINE": "1"}
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=REPOSITORY)
        # The bar of the batches is the last one. It shows whole seconds, and the rate of the whole run exactly.
        bars = re.findall(r"(\d+)/\1 \[[\d:]+<[^,]+,\s*([\d.]+)(it/s|s/it)\]", result.stderr + result.stdout)
        if result.returncode or not bars:
            raise SystemExit(f"bergson failed:\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}")
        return max(
            int(count) / float(rate) if unit == "it/s" else int(count) * float(rate) for count, rate, unit in bars
        )


@contextlib.contextmanager
def quiet():
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


if __name__ == "__main__":
    main()
