"""One undisturbed run, and copies of what it left."""

import shutil
from pathlib import Path

import pytest
from support import parallel
from support.checkout import Checkout
from support.running import EXPERIMENT, Run

#: As small as goes: every stage is there, trainings have three checkpoints, and a shard has many batches.
SETTINGS = """\
summary: Every stage once or a few times.
models: [tiny-llama]
pools:
  reasoning: {rows: 48}
targets:
  logic: {validation_rows: 4, evaluation_rows: 8}
methods: [base, random, less, g2is]
ratios: [0.25]
cutoff_len: 128
warmup:
  rows: 8
  training: &tiny
    lora_rank: 4
    lora_alpha: 16
    num_train_epochs: 3
    learning_rate: 1.0e-2
    effective_batch: 4
    per_device_train_batch_size: 4
    disable_gradient_checkpointing: true
gradients:
  shards: 2
  batch_tokens: 128
  projection: {dimension: 256}
finetune:
  training: *tiny
evaluation:
  dtype: float32
"""


@pytest.fixture(scope="session")
def unstarted(fresh, tmp_path_factory):
    """A function that gives a checkout in which nothing has been run."""

    def make(name: str) -> Run:
        return unstarted_at(tmp_path_factory.mktemp(name) / "checkout", fresh)

    return make


def unstarted_at(path: Path, fresh: Checkout) -> Run:
    shutil.copytree(fresh.path, path, symlinks=True)
    (path / f"config/experiments/{EXPERIMENT}.yaml").write_text(SETTINGS)
    return Run(path)


@pytest.fixture(scope="session")
def undisturbed(fresh, tmp_path_factory) -> Run:
    """A whole run. Tests that change anything take a `copy`."""

    def make(path: Path) -> None:
        unstarted_at(path, fresh).finish()

    return Run(parallel.made_once("undisturbed", make, tmp_path_factory))


@pytest.fixture
def copy(undisturbed, tmp_path) -> Run:
    return Run(shutil.copytree(undisturbed.path, tmp_path / "copy", symlinks=True))
