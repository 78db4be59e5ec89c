"""One run, killed in every stage: the next run resumes it, and the tables in the end are the same."""

import re
import time
from dataclasses import dataclass
from subprocess import CompletedProcess

import pytest
from support.running import GO_ON, Run, redone, said

pytestmark = pytest.mark.slow

CELL = "tiny-llama/reasoning/logic/g2is/0.25"


def checkpoint(folder: str):
    return lambda run: any((run.results / folder / "training/output").glob("checkpoint-*/trainer_state.json"))


def logged(log: str, pattern: str):
    return lambda run: re.search(pattern, run.log(log)) is not None


def at_work(log: str, seconds: float):
    """Where a job shows nothing on the way: so long after it began."""

    def moment(run: Run) -> bool:
        path = run.results / "logs" / log
        return path.exists() and time.time() - path.stat().st_mtime > seconds

    return moment


#: Rule, and when its process is killed: a moment to wait for, or what it is about to do.
STAGES = {
    "sample_pool": "os.rename */pools/reasoning/pool.jsonl",
    "warmup": checkpoint("warmup/tiny-llama/reasoning"),
    "pool_gradients": logged("pool_gradients/tiny-llama/reasoning/1/1.log", r"[1-9]\d*/\d+ \["),
    "gather_pool_gradients": "os.rename */checkpoint1/pool.h5",
    "select_rows": at_work(f"select_rows/{CELL}/0.log", 0.5),
    "finetune": checkpoint(f"runs/{CELL}/seed0"),
    "evaluate": logged(f"evaluate/{CELL}/0/logic.log", "Scoring answers: "),
    "table": "os.rename */tables/logic.csv",
}


@dataclass
class Killed:
    done: CompletedProcess
    finished: dict[str, int]
    #: Rules of finished jobs that the next run did again.
    redone: set[str]


@pytest.fixture(scope="module")
def run(unstarted) -> Run:
    return unstarted("killed")


@pytest.fixture(scope="module")
def story(run) -> dict[str, Killed]:
    """What happened, by the rule that was killed; at the end the run was left alone."""
    killed, last = {}, None
    for rule, how in STAGES.items():
        done = run.snakemake(kill_at=how) if isinstance(how, str) else run.killed_job(how)
        if last:
            killed[last].redone = redone(run, killed[last].finished)
        killed[rule], last = Killed(done, run.jobs(), set()), rule
    run.finish()
    killed[last].redone = redone(run, killed[last].finished)
    return killed


@pytest.mark.parametrize("rule", STAGES)
def test_killed_run__names_the_job_and_says_how_to_resume(story, rule):
    output = said(story[rule].done)
    assert story[rule].done.returncode == 1, output
    assert re.findall(r"Error in rule (\w+)", output)[0] == rule
    assert GO_ON in output


@pytest.mark.parametrize("rule", STAGES)
def test_run_after_the_next__has_nothing_to_do(story, rule):
    assert story[rule].redone == set()


def test_killed_jobs__were_not_finished(story):
    for rule, killed in story.items():
        expected = {"select_rows": f"select_rows/{CELL}/0.tsv", "evaluate": f"evaluate/{CELL}/0/logic.tsv"}.get(rule)
        assert expected not in killed.finished


def test_trainings__resumed_from_their_checkpoints(story, run):
    for log in ("warmup/tiny-llama/reasoning.log", f"finetune/{CELL}/0.log"):
        assert re.search(r"Resuming training from .*checkpoint-\d", run.log(log))


def test_tables__are_those_of_an_undisturbed_run(story, run, undisturbed):
    assert run.tables() == undisturbed.tables()
    assert len(run.tables()) == 2


def test_killed_jobs__leave_no_temporary_files(story, run):
    found = [path for path in run.results.rglob("*") if path.suffix in {".tmp", ".partial"} or path.name == "training"]
    assert found == []
