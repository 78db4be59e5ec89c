"""`snakemake --profile slurm` on a real SLURM: a whole run, and runs in which jobs, memory or Snakemake itself die."""

import re
import signal
from collections import Counter

import pytest
from support.small import EXPERIMENT, RESULTS

pytestmark = pytest.mark.slurm

GRADIENTS = f"{RESULTS}/gradients/tiny-llama/reasoning/checkpoint1"


def test_tables__are_those_of_a_local_run(submitted, undisturbed):
    for name in ("logic.csv", "logic.md", "logic.shared-rows.csv"):
        path = f"{RESULTS}/tables/{name}"
        assert (submitted.path / path).read_bytes() == (undisturbed.path / path).read_bytes()


def test_submitted_jobs__are_all_but_the_short_ones(submitted):
    rules = Counter(re.findall(r"has been submitted with SLURM jobid .*/rule_(\w+)/", submitted.output))
    assert rules["finetune"] == 3
    assert rules["pool_gradients"] == 2
    assert not rules.keys() & {"gather_pool_gradients", "harness_tasks", "shared_rows", "report", "resolve_config"}


def test_training__has_the_gpu_that_it_asked_for(submitted):
    log = submitted.path / f"{RESULTS}/logs/warmup/tiny-llama/reasoning.log"
    assert "No GPU is visible: training on the CPU." in log.read_text()


def remove_shards(checkout) -> dict[str, bytes]:
    """Remove the gradient store; returns what was in its shards."""
    shards = sorted((checkout.path / GRADIENTS / "shards").glob("*.h5"))
    contents = {path.name: path.read_bytes() for path in shards}
    for path in (*shards, checkout.path / GRADIENTS / "pool.h5"):
        path.unlink()
    assert len(contents) == 2
    return contents


def test_cancelled_shard__is_the_only_one_recomputed(copy):
    remove_shards(copy)
    run = copy.start("--retries", "0", "--", f"{GRADIENTS}/pool.h5")
    first, *_ = copy.wait_for(lambda: copy.running("pool_gradients"))
    copy.slurm("scancel", first)
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 1, output
    assert len(list((copy.path / GRADIENTS / "shards").glob("*.h5"))) == 1
    target = ("--", f"{GRADIENTS}/pool.h5")
    assert copy.planned(EXPERIMENT, *target) == {"pool_gradients": 1, "gather_pool_gradients": 1, "total": 2}
    status, output = copy.submit(*target)
    assert status == 0, output
    assert len(list((copy.path / GRADIENTS / "shards").glob("*.h5"))) == 2


def test_job__gets_more_memory_after_it_ran_out_of_it(copy):
    before = remove_shards(copy)
    memory = "pool_gradients:mem_mb=300 if attempt == 1 else 4000"
    status, output = copy.submit("--set-resources", memory, "--", f"{GRADIENTS}/pool.h5")
    assert status == 0, output
    assert "Trying to restart job" in output
    after = {path.name: path.read_bytes() for path in (copy.path / GRADIENTS / "shards").glob("*.h5")}
    assert after.keys() == before.keys()


def test_next_run__does_only_what_is_missing_after_snakemake_was_killed(copy):
    remove_shards(copy)
    target = f"{GRADIENTS}/pool.h5"
    # One after the other, so that one is whole when Snakemake dies.
    run = copy.start("--jobs", "1", "--", target)
    shards = copy.path / GRADIENTS / "shards"
    first = copy.wait_for(lambda: copy.running("pool_gradients"))
    copy.wait_for(lambda: set(copy.running("pool_gradients")) - set(first))
    [whole] = shards.glob("*.h5")
    written = whole.stat().st_mtime_ns
    run.send_signal(signal.SIGKILL)
    run.communicate()
    copy.wait_for(lambda: not copy.slurm("squeue", "-h"))
    status, output = copy.submit("--", target)
    assert status == 1
    assert "--unlock" in output
    assert copy.submit("--unlock")[0] == 0
    status, output = copy.submit("--", target)
    assert status == 0, output
    assert (copy.path / target).is_file()
    assert whole.stat().st_mtime_ns == written
