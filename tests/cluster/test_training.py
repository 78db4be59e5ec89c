"""Training on two nodes of one GPU each, through the rules and the DeepSpeed configuration of the paper's runs."""

import json
import re

import h5py
import pytest
from support import mini_slurm
from support.on_cluster import activated, at
from support.small import CONFIG, RESULTS

pytestmark = pytest.mark.slurm

WARMUP = f"{RESULTS}/warmup/tiny-llama/reasoning"
SHARD = f"{RESULTS}/gradients/tiny-llama/reasoning/checkpoint1/shards/0.h5"


def test_training_on_two_nodes__uses_zero_and_gradients_read_its_moments(submitted, tmp_path):
    with mini_slurm.running(nodes=2, gpus=1) as environment:
        checkout = at(tmp_path / "checkout", submitted, activated(environment))
        # As many rows per step as before, which two processes share.
        checkout.edit(CONFIG, "per_device_train_batch_size: 4", "per_device_train_batch_size: 2")
        checkout.edit(CONFIG, "gpus: {training: 1}", "gpus: {training: 1}\nnodes: {training: 2}")
        before = [json.loads(line) for line in (checkout.path / WARMUP / "trainer_log.jsonl").open()]
        # Another number of nodes alone plans nothing.
        status, output = checkout.submit("--retries", "0", "--forcerun", "warmup", "--", SHARD)
        assert status == 0, output
    log = (checkout.path / f"{RESULTS}/logs/warmup/tiny-llama/reasoning.log").read_text()
    assert "--nnodes=2" in log
    assert {"0", "1"} <= set(re.findall(r"Process rank: (\d+), world size: 2", log))
    after = [json.loads(line) for line in (checkout.path / WARMUP / "trainer_log.jsonl").open()]
    assert after[-1]["total_steps"] == before[-1]["total_steps"]
    with h5py.File(checkout.path / SHARD) as store:
        assert store["finite"][:].all()
        assert (store["adam_norm"][:] > 0).all()
