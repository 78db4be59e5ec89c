"""The estimate counts the jobs that a run would do."""

from collections import Counter

import pytest
from checkout import Checkout

from instruction_selection import jobs
from instruction_selection.experiment import load


@pytest.mark.parametrize("experiment", ["smoke", "paper"])
def test_jobs_are_those_of_a_dry_run(repository, experiment):
    planned = Checkout(repository).planned(experiment, "--forceall", "--nolock")
    counted = Counter(job.rule for job in jobs.of(load.load(repository / "config", experiment)))
    assert counted == {rule: planned[rule] for rule in jobs.KINDS if rule in planned}


def test_it_is_printed_and_nothing_else_is_run(repository):
    arguments = ("--nolock", "--resources", "gpu=8", "--quiet", "all", "--", "estimate")
    result = Checkout(repository).snakemake(*arguments, experiment="paper")
    assert result.returncode == 0, result.stderr
    assert "2 cores and 8 GPUs" in result.stdout
    assert not (repository / "results/paper").exists()
