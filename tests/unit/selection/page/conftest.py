"""Finished selections of a small pool whose rows are of three kinds, one of which the target is like."""

import numpy as np
import pytest

from instruction_selection.core import files
from instruction_selection.features.gradients import store
from instruction_selection.selection.job import CheckpointFiles, Job, execute
from instruction_selection.selection.page.content import SelectionFiles

ROWS, DIMENSION = 60, 8
IDENTITY = {
    **dict.fromkeys(
        ["model", "adapter", "moments", "rows", "parameters", "template", "cutoff_len", "precision", "code"], "x"
    ),
    "projection": {"kind": "sjlt", "dimension": DIMENSION, "seed": 0},
}


@pytest.fixture
def select(tmp_path):
    """A function of a method, a budget and rows of the pool to replace by number; gives the selection's files."""
    rng = np.random.default_rng(0)
    kinds = np.arange(ROWS) % 3
    centres = 3 * np.eye(DIMENSION, dtype=np.float32)
    gradients = centres[kinds] + rng.normal(size=(ROWS, DIMENSION)).astype(np.float32)
    # It has no gradient that can be used.
    gradients[0] = 0

    def write_store(path, ids, values, kind) -> str:
        with store.Writer(path, ids, DIMENSION, [kind], IDENTITY) as writer:
            writer.write([*range(len(ids))], {kind: values}, np.ones(len(ids)), [2] * len(ids))
        return str(path)

    def run(method: str, budget: int, replaced=(), **params) -> SelectionFiles:
        pool = [
            {
                "id": f"p{n}",
                "task": f"kind {kind}",
                "instruction": f"Question {n} about the {kind} of things",
                "response": "r" * (n + 1),
            }
            for n, kind in enumerate(kinds)
        ]
        for place, changes in dict(replaced).items():
            pool[place] |= changes
        wanted = [{"id": f"v{n}", "task": "kind 1", "instruction": f"Wanted {n}", "response": "yes"} for n in range(4)]
        paths = [str(tmp_path / name / "rows.jsonl") for name in ("pool", "target")]
        for path, rows in zip(paths, (pool, wanted), strict=True):
            files.write_jsonl(path, rows)
        features = {}
        if method in ("less", "g2is"):
            near = centres[[1] * 4] + 0.1 * rng.normal(size=(4, DIMENSION)).astype(np.float32)
            features = {
                "pool_gradients": [write_store(tmp_path / "p.h5", [row["id"] for row in pool], gradients, "adam")],
                "validation_gradients": [write_store(tmp_path / "v.h5", [row["id"] for row in wanted], near, "sgd")],
            }
        job = Job(
            method=method,
            implementation=method,
            ratio=budget,
            seed=0,
            params=params,
            pool=paths[0],
            validation=paths[1:] if features else [],
            checkpoints=[CheckpointFiles(features)] if features else [],
        )
        execute(job, tmp_path / "run", None)
        return SelectionFiles(
            pool=paths[0],
            validation=job.validation,
            summary=str(tmp_path / "run/selection.json"),
            scores=str(tmp_path / "run/scores.parquet"),
            features=features,
        )

    return run
