"""Finished random subsets of a small pool, and selections of methods with scores, without running a job."""

from pathlib import Path

import numpy as np
import pyarrow
import yaml
from pyarrow import parquet

from instruction_selection.core import files
from instruction_selection.experiment import load
from instruction_selection.experiment.chain import Chain
from instruction_selection.experiment.wiring import Wiring
from support.records import belonging_together

#: What a row of the pool adds to a model's log-likelihood; `sbert` scores rows by it, and `less` by nothing.
EFFECTS = {f"row{number}": value for number, value in enumerate(np.random.default_rng(0).normal(size=72).tolist())}
SHUFFLED = dict(zip(EFFECTS, np.random.default_rng(1).permutation([*EFFECTS.values()]).tolist(), strict=True))
SCORES = {"sbert": EFFECTS, "less": SHUFFLED, "g2is": dict.fromkeys(EFFECTS)}
CHOSEN, SEEDS = 7, 30
#: Every third row is of the first target's family, and none of the second's.
LENGTHS = {name: int(value) for name, value in zip(EFFECTS, np.random.default_rng(2).integers(1, 99, 72), strict=True)}
FAMILY = [*EFFECTS][::3]


def configure(folder):
    """Put the experiment `small` into a checkout's folder: it has thirty random subsets."""
    content = yaml.safe_load((folder / "config/experiments/smoke.yaml").read_text())
    content |= {"methods": ["base", "random", "sbert", "less", "g2is"], "seeds_of": {"random": [*range(SEEDS)]}}
    (folder / "config/experiments/small.yaml").write_text(yaml.safe_dump(content))


def wiring():
    return Wiring(load.load("config", "small"))


def cells(of, *methods):
    return [cell for table in of.experiment.tables for cell in of.table_cells(table) if cell[0]["method"] in methods]


def write(seeds=SEEDS, scores=SCORES):
    """The results of some subsets, and the selections of the methods in `scores`."""
    of = wiring()
    finished = [cell for cell in cells(of, "random") if int(cell[0]["seed"]) < seeds]
    selected = {cell[3]: cell[0] for cell in [*finished, *cells(of, *scores)]}
    hashes = {(of.paths.pool_summary.format(pool="reasoning"), ("sha256",)): write_pool(of)}
    for summary, names in selected.items():
        method, seed = names["method"], int(names["seed"])
        best = sorted(EFFECTS, key=lambda name: -(scores.get(method, {}).get(name) or 0))
        ids = [*np.random.default_rng(seed).permutation([*EFFECTS])] if method == "random" else best
        hashes[summary, ("sha256",)] = write_selection(Path(summary).parent, ids[:CHOSEN], scores.get(method))
    chain = Chain(of)
    made = [each for cell in finished for each in chain.of_cell(*cell)]
    made += [each for summary, names in selected.items() for each in chain.of_selection(names, summary)]
    contents = belonging_together({each.path: each for each in made}.values(), hashes)
    for summary in selected:
        contents[summary] |= {"selected": CHOSEN, "tasks": {}, "sha256": hashes[summary, ("sha256",)]}
    for cell in finished:
        write_evaluation(of, cell, contents[cell[1]])
    contents[of.paths.pool_summary.format(pool="reasoning")]["rows"] = len(EFFECTS)
    for path, content in contents.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, content)
    return of


def write_pool(of):
    """The hash of its rows."""
    path = of.paths.pool.format(pool="reasoning")
    family, *_ = (benchmark.tasks[0] for benchmark in of.experiment.benchmarks.values())
    rows = [
        {"id": name, "task": family if name in FAMILY else "another", "response": "x" * length}
        for name, length in LENGTHS.items()
    ]
    files.write_jsonl(path, rows)
    return files.sha256(path)


def write_selection(folder, ids, scores):
    """The hash of its rows."""
    files.write_jsonl(folder / "selected.jsonl", [{"id": name} for name in ids])
    steps = [ids.index(name) + 1 if name in ids else None for name in EFFECTS]
    values = [None if scores is None else scores[name] for name in EFFECTS]
    columns = {
        "id": [*EFFECTS],
        "score": pyarrow.array(values, pyarrow.float32()),
        "step": pyarrow.array(steps, pyarrow.int32()),
    }
    parquet.write_table(pyarrow.table(columns), folder / "scores.parquet")
    return files.sha256(folder / "selected.jsonl")


def write_evaluation(of, cell, content):
    names, _, samples, selection, _ = cell
    ids = [row["id"] for row in files.iterate_jsonl(Path(selection).parent / "selected.jsonl")]
    value = sum(EFFECTS[name] for name in ids)
    metrics = of.experiment.benchmarks[names["benchmark"]].metrics
    tasks = {(metric.task, metric.filter) for metric in metrics}
    line = {"id": "a", **{metric.metric or metric.name: value for metric in metrics}}
    files.write_jsonl(samples, [{"task": task, "filter": name, **line} for task, name in sorted(tasks)])
    content |= {
        "samples": 1,
        "metrics": {metric.name: {"value": value, "stderr": 1.0} for metric in metrics},
        "samples_sha256": files.sha256(samples),
    }
