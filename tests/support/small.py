"""The smallest experiment that has every stage, for tests that run it many times or in unusual ways."""

import shutil
from pathlib import Path

from support.checkout import Checkout

EXPERIMENT = "small"
RESULTS = f"results/{EXPERIMENT}"
CONFIG = f"config/experiments/{EXPERIMENT}.yaml"
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
# A fake GPU is enough: without a GPU, the processor computes.
gpus: {training: 1}
evaluation:
  dtype: float32
"""


def copied(source: Checkout, path: Path) -> Path:
    """A copy of a checkout that has the experiment, in which nothing has been run."""
    shutil.copytree(source.path, path, symlinks=True)
    (path / CONFIG).write_text(SETTINGS)
    return path
