"""Snakemake is killed, alone or with all its jobs, and two runs are started at once."""

import fcntl
import os
import re
import shutil
import signal

import psutil
import pytest
from support.running import RESULTS, Run, redone, said, wait

pytestmark = pytest.mark.slow

RUN = "tiny-llama/reasoning/any/random/0.25"
BASE = "tiny-llama/any/any/base/0"
LOCKED = "Error: Directory cannot be locked."


def without(run: Run, *paths: str) -> dict[str, int]:
    """Remove results, and the table that depends on them; the jobs that are still finished."""
    for path in ("tables/logic.csv", *paths):
        if (run.results / path).is_dir():
            shutil.rmtree(run.results / path)
        else:
            (run.results / path).unlink()
    return run.jobs()


def locked(run: Run) -> None:
    done = run.snakemake()
    assert done.returncode == 1
    assert LOCKED in said(done)
    assert "It can be removed with the --unlock argument." in said(done).replace("\n", " ")


def test_power_cut__is_resumed_from_by_the_next_run(copy, undisturbed):
    """A fine-tuning was under way. The lock has to be taken away, and nothing else."""
    before = without(copy, f"runs/{RUN}/seed0/adapter", f"runs/{RUN}/seed0/eval/logic.json")
    output = copy.results / f"runs/{RUN}/seed0/training/output"
    with copy.started() as process:
        wait(lambda: any(output.glob("checkpoint-*/trainer_state.json")), process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    locked(copy)
    assert copy.snakemake("--unlock").returncode == 0
    copy.finish()
    assert re.search(r"Resuming training from .*checkpoint-\d", copy.log(f"finetune/{RUN}/0.log"))
    assert redone(copy, before) <= {"finetune", "evaluate", "table", "report"}
    assert copy.tables() == undisturbed.tables()


def test_job__that_outlives_snakemake_is_not_joined_by_a_second_one(copy, undisturbed):
    before = without(copy, f"runs/{BASE}/seed0/eval/logic.json")
    log = copy.results / f"logs/evaluate/{BASE}/0/logic.log"
    log.unlink()
    with copy.started() as process:
        wait(log.exists, process)
        wait(lambda: "lm_eval_cli.py" in log.read_text(), process)
        job = psutil.Process(process.pid).children(recursive=True)
        # So that it is still there when the second run comes to it.
        for each in job:
            each.suspend()
        process.kill()
        process.wait()
        locked(copy)
        copy.snakemake("--unlock")
        done = copy.snakemake()
        for each in job:
            each.resume()
        assert done.returncode == 1
        assert re.search(r"logic\.log: this job is still running as process \d+, .* wait for it to end, or", said(done))
        with log.with_name(f".{log.name}.lock").open() as handle:
            # What the first one had begun, it ends.
            fcntl.flock(handle, fcntl.LOCK_EX)
    copy.finish()
    assert redone(copy, before) <= {"evaluate", "table", "report"}
    assert copy.tables() == undisturbed.tables()


def test_second_run_at_once__is_rejected_and_the_first_succeeds(copy, undisturbed):
    before = without(copy, f"runs/{BASE}/seed0/eval/logic.json")
    with copy.started() as first:
        wait(lambda: any((copy.path / ".snakemake/locks").glob("*")), first)
        second = copy.snakemake()
        assert first.poll() is None
        assert second.returncode == 1
        assert LOCKED in said(second)
        output, _ = first.communicate()
    assert first.returncode == 0, output
    assert redone(copy, before) <= {"evaluate", "table", "report"}
    assert copy.tables() == undisturbed.tables()


def test_unrecorded_result__is_made_again(copy, undisturbed):
    """Killed between a job's last output and Snakemake's note of it: the next run needs no flag."""
    path = f"{RESULTS}/tables/logic.csv"
    without(copy)
    with copy.started() as process:
        wait((copy.path / path).exists, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    copy.snakemake("--unlock")
    copy.finish()
    assert copy.tables() == undisturbed.tables()
