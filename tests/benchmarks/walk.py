"""The walk of G2IS and LESS's scores on large stores, beside reading the store and the plain procedures, in one run.

    .venv/bin/python tests/benchmarks/walk.py --folder DIR --rows 20000 60000 250000 --plot walk.svg

DIR must hold 2 * D bytes per row. Each contender runs in a process of its own, which measures wall and processor time,
its peak of memory, and the bytes that it asked the system for (from the page cache or not).

read        every block of the store, once
LESS        scores for 5 subtasks
walk        along one component, as the authors' code does it; the copies are made anew
torch       the same on a GPU or, without one, by torch on the processor
components  along 5 components side by side, as Algorithm 1 does it (`g2is`)
alone       the same 5, one after the other; reports the seconds of each
plain       one product of all rows, in float32 in memory, and the row taken last per step
published   for every row a list of all others by similarity, then the walk over these lists. Up to --published rows
            (its list takes 4 bytes per pair).

Rows are synthetic, with the look of 480 Adam rows of SmolLM2-135M from 24 Reasoning Gym tasks, D = 8192 (imitated with
24 topics, in brackets): mean row's norm 0.37; energy of 240 rows in the 8, 32, 128 leading directions of the other 240
0.32, 0.45, 0.52 (0.34, 0.53, 0.60); pairs with a negative cosine 10 % (9 %); cosine of pairs, 1, 50, 99 % quantiles
-0.14, 0.12, 0.56 (-0.17, 0.14, 0.57); of nearest neighbours, 5, 50, 95 % quantiles 0.26, 0.67, 0.96 (0.40, 0.62, 0.75).
(640 rows of chain-of-thought data: energy 0.25, 0.28, 0.32; pairs 0.08, 0.20, 0.41; neighbours 0.26, 0.37, 0.54.) A row
is a common direction, a direction of its topic, and one of its own, the last two with energies that fall as j ** -0.9.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import scipy.fft

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow"))

DIMENSION, TOPICS, COMPONENTS, DELTA = 8192, 2000, 5, 0.8
#: Energy of the common direction, and of the topic's on average.
COMMON, TOPIC, DECAY = 0.15, 0.35, 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000])
    parser.add_argument("--ratio", type=float, default=0.01)
    parser.add_argument("--memory-mb", type=int, default=8000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--published", type=int, default=20_000)
    parser.add_argument("--plain", type=int, default=60_000, help="rows up to which the plain walk is run")
    parser.add_argument(
        "--contenders",
        nargs="+",
        default=["read", "LESS", "walk", "torch", "components", "alone", "plain", "published"],
    )
    parser.add_argument("--plot", type=Path, help="of the walk's time over the number of rows")
    options = parser.parse_args()
    walks = {}
    for rows in options.rows:
        path = options.folder / f"synthetic-{rows}.h5"
        if not path.exists():
            synthetic(path, rows)
        budget = int(rows * options.ratio)
        gigabytes = rows * DIMENSION * 2 / 1e9
        print(f"\n{rows} rows, D = {DIMENSION}, {budget} chosen, {options.threads} threads, {options.memory_mb} MiB")
        print(
            f"floor: read {gigabytes:.2f} GB once; plain {budget * rows * DIMENSION * 2 / 1e12:.2f} Tflop", flush=True
        )
        print(f"{'':12}{'seconds':>9}{'CPU s':>9}{'peak MiB':>10}{'GB read':>9}")
        reports = {}
        for name in options.contenders:
            if rows > {"plain": options.plain, "published": options.published}.get(name, rows):
                continue
            reports[name] = found = in_a_process(name, path, budget, options.memory_mb, options.threads)
            print(
                f"{name:12}{found['seconds']:9.1f}{found['cpu']:9.1f}{found['peak']:10.0f}{found['read']:9.2f}"
                f"  {json.dumps(found['report'])}",
                flush=True,
            )
        compare(reports)
        if "walk" in reports:
            walks[rows] = reports["walk"]["seconds"]
    if options.plot:
        plot(walks, options.plot)


def compare(reports: dict[str, dict]) -> None:
    for name in ("torch", "plain", "published"):
        if not {"walk", name} <= reports.keys():
            continue
        same = reports[name]["rows"] == reports["walk"]["rows"]
        times = reports[name]["seconds"] / reports["walk"]["seconds"]
        print(f"walk is {times:.1f} times as fast as {name}; same rows: {same}")
    if {"read", "LESS"} <= reports.keys():
        print(f"LESS has {reports['read']['seconds'] / reports['LESS']['seconds']:.2f} of the speed of reading")
    if {"alone", "components"} <= reports.keys():
        times = reports["components"]["seconds"] / max(reports["alone"]["report"]["each"])
        print(f"{COMPONENTS} components cost {times:.1f} times the costliest alone")


def in_a_process(name: str, path: Path, budget: int, memory_mb: int, threads: int) -> dict:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), limit_threads, (threads,)) as pool:
        return pool.submit(measure, name, path, budget, memory_mb).result()


def limit_threads(threads: int) -> None:
    import numba
    import threadpoolctl

    numba.set_num_threads(threads)
    threadpoolctl.threadpool_limits(threads)


def measure(name: str, path: Path, budget: int, memory_mb: int) -> dict:
    from instruction_selection.features.matrix import Hdf5Matrix

    with h5py.File(path) as file:
        rows = Hdf5Matrix(file["adam"], path)
        compiled()
        before, start = used(), (time.perf_counter(), time.process_time())
        chosen, report = CONTENDERS[name](rows, budget, memory_mb)
        seconds, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
        return {
            "seconds": seconds,
            "cpu": cpu,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "read": (used() - before) / 1e9,
            "rows": chosen,
            "report": report,
        }


def used() -> int:
    """Bytes that this process has read."""
    return int(Path("/proc/self/io").read_text().split()[1])


def compiled() -> None:
    """Compile the kernels, or load them, which takes as long for 20 rows as for a million."""
    from instruction_selection.features import half
    from instruction_selection.features.matrix import InMemoryMatrix

    half.widen(np.zeros((1, 8), np.uint16), np.zeros((1, 8), np.float32))
    walk(InMemoryMatrix.normalised(np.random.default_rng(0).normal(size=(100, 64)) + 1), 50, 4000)


def directions(rows) -> np.ndarray:
    """Directions to walk along, (COMPONENTS, D), each near a row of the pool."""
    return rows.take(np.arange(COMPONENTS)).astype(np.float64) + 0.3 * rows.take(np.arange(64)).mean(0)


def read(rows, budget: int, memory_mb: int):
    from instruction_selection.features import matrix

    dataset = rows._dataset
    block = np.empty((matrix.BLOCK, rows.shape[1]), dataset.dtype)
    for start in range(0, len(dataset), matrix.BLOCK):
        stop = min(start + matrix.BLOCK, len(dataset))
        dataset.read_direct(block, np.s_[start:stop], np.s_[: stop - start])
    return None, {}


def less(rows, budget: int, memory_mb: int):
    from instruction_selection.selection.algorithms import similarity

    validation = rows.take(np.arange(40))
    scores = similarity.best_subtask_mean(rows, validation, np.repeat(np.arange(5), 8))
    return np.argsort(-scores, kind="stable")[:budget].tolist(), {}


def walk(rows, budget: int, memory_mb: int):
    from instruction_selection.selection.walk import fast
    from instruction_selection.selection.walk.quantised import Quantised

    start = time.perf_counter()
    copies = Counting(Quantised(rows, memory_mb))
    made = time.perf_counter() - start
    walks = fast.walk_author_code(copies, directions(rows)[:1], [budget], DELTA)
    return walks[0].indices, report(copies, made, walks)


def with_torch(rows, budget: int, memory_mb: int):
    from instruction_selection.features import products

    return walk(rows.on(products.visible_gpu() or "cpu"), budget, memory_mb)


def components(rows, budget: int, memory_mb: int, numbers: Sequence[int] = range(COMPONENTS)):
    from instruction_selection.selection.walk import fast
    from instruction_selection.selection.walk.quantised import Quantised

    start = time.perf_counter()
    copies = Counting(Quantised(rows, memory_mb))
    made = time.perf_counter() - start
    walks = fast.walk_algorithm1(copies, directions(rows)[list(numbers)], [budget] * len(numbers), DELTA)
    return walks[0].indices, report(copies, made, walks)


def report(copies, copying_seconds: float, walks: list) -> dict:
    rejected = [walked.rejected_by_conflict + walked.rejected_by_consistency for walked in walks]
    steps = sum(len(walked.indices) for walked in walks)
    return {"copying seconds": round(copying_seconds, 1), "steps": steps, **copies.counts, "rejected": rejected}


def alone(rows, budget: int, memory_mb: int):
    seconds = []
    for number in range(COMPONENTS):
        start = time.perf_counter()
        components(rows, budget, memory_mb, [number])
        seconds.append(round(time.perf_counter() - start, 1))
    return None, {"each": seconds}


class Counting:
    """Counts what quantised copies are asked for: passes, the rows they were for, rows looked at."""

    def __init__(self, copies):
        self._copies = copies
        self.counts = dict.fromkeys(("passes", "estimates", "closer", "exact_products"), 0)

    def __getattr__(self, name: str):
        found = getattr(self._copies, name)
        if name not in self.counts:
            return found

        def counted(numbers, *arguments):
            self.counts["passes"] += name == "estimates"
            self.counts[name] += len(numbers)
            return found(numbers, *arguments)

        return counted


def plain(rows, budget: int, memory_mb: int):
    unit, component = rows.unit, directions(rows)[0]
    toward = unit @ (component / np.linalg.norm(component)).astype(np.float32)
    free, agree = np.ones((2, len(unit)), dtype=bool)
    sums, squared, along = np.zeros(len(unit)), 0.0, 0.0
    chosen, last = [], int(np.argmax(toward))
    while True:
        squared, along = squared + 2 * sums[last] + 1, along + toward[last]
        chosen.append(last)
        free[last] = False
        products = unit @ unit[last]
        sums += products
        agree &= products >= 0
        least = DELTA * abs(along) / np.sqrt(squared)
        passing = free & agree & (np.abs(along + toward) >= least * np.sqrt(squared + 2 * sums + 1))
        if len(chosen) == budget or not passing.any():
            return chosen, {}
        last = int(np.argmax(np.where(passing, products, -np.inf)))


def published(rows, budget: int, memory_mb: int):
    unit, component = rows.unit, directions(rows)[0].astype(np.float32)
    component /= np.linalg.norm(component)
    start, size = time.perf_counter(), 1000
    graph = np.empty((len(unit), len(unit)), np.int32)
    for first in range(0, len(unit), size):
        graph[first : first + size] = np.argsort(-(unit[first : first + size] @ unit.T), axis=1)
    made = time.perf_counter() - start
    chosen = [int(np.argmax(unit @ component))]
    total, taken = unit[chosen[0]].copy(), set(chosen)
    while len(chosen) < budget:
        least = DELTA * abs(total @ component) / np.linalg.norm(total)
        for row in graph[chosen[-1]]:
            if row in taken or (unit[chosen] @ unit[row] < 0).any():
                continue
            new = total + unit[row]
            if abs(new @ component) / np.linalg.norm(new) >= least:
                break
        else:
            break
        chosen.append(int(row))
        taken.add(chosen[-1])
        total = new
    return chosen, {"lists seconds": round(made, 1)}


CONTENDERS = {
    "read": read,
    "LESS": less,
    "walk": walk,
    "torch": with_torch,
    "components": components,
    "alone": alone,
    "plain": plain,
    "published": published,
}


def synthetic(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    deviations = np.sqrt(np.arange(1, DIMENSION + 1) ** -DECAY).astype(np.float32)
    signs = rng.choice([-1, 1], DIMENSION).astype(np.float32)
    sizes = (np.arange(TOPICS) + 10.0) ** -0.8

    def drawn(count: int) -> np.ndarray:
        found = rng.standard_normal((count, DIMENSION), dtype=np.float32) * deviations
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    topics = drawn(TOPICS)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("adam", (rows, DIMENSION), "f2", chunks=(8, DIMENSION), fletcher32=True)
        for start in range(0, rows, 2048):
            count = min(2048, rows - start)
            energy = 2 * TOPIC * rng.beta(3, 3, size=(count, 1)).astype(np.float32)
            block = np.sqrt(energy) * topics[rng.choice(TOPICS, count, p=sizes / sizes.sum())]
            block += np.sqrt(1 - COMMON - energy) * drawn(count)
            block[:, 0] += np.sqrt(COMMON)
            # So that no coordinate is larger than the others, as after a random projection.
            block = scipy.fft.dct(block * signs, norm="ortho", axis=1)
            dataset[start : start + count] = block / np.linalg.norm(block, axis=1, keepdims=True)


def plot(seconds: dict[int, float], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.loglog(list(seconds), list(seconds.values()), "o-")
    axes.set_xlabel("Rows of the pool")
    axes.set_ylabel("Seconds to walk over 1 %")
    figure.savefig(path)


if __name__ == "__main__":
    main()
