"""The estimate's numbers follow from the grid and from prices, as ranges."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.cost import estimate, jobs, prices, schedule
from instruction_selection.cost.jobs import Job
from instruction_selection.cost.measured import Measurements
from instruction_selection.cost.schedule import Run
from instruction_selection.experiment import load
from instruction_selection.experiment.settings import PoolRows

#: Seconds of the demo on two idle cores of an AMD EPYC (Zen 5), two jobs at a time, set-up not included.
DEMO_SECONDS = 987
#: The same when it had one draw of Random and no control of equal size.
SMALLER_DEMO_SECONDS = 790


@pytest.fixture(scope="module")
def demo(repository):
    return load.load(repository / "config", "demo")


def runs(edges, seconds, gpus=0):
    """Runs of which number n depends on those in `edges[n]`."""
    keys = [("finetune", (("seed", str(number)),)) for number in range(len(edges))]
    return [
        Run(Job(*keys[number], 1, None, frozenset(keys[other] for other in after)), gpus, 1, seconds[number])
        for number, after in enumerate(edges)
    ]


def test_wall_seconds__the_demo_by_list_prices(demo):
    wall = estimate.wall_seconds(estimate.timed(demo, Measurements([]), cores=2), 2, None)
    assert wall.low < DEMO_SECONDS < wall.high
    assert DEMO_SECONDS / 1.5 < wall.typical < DEMO_SECONDS * 1.5


def test_wall_seconds__the_demo_measured_on_quiet_cores(demo):
    settings = demo.settings.model_copy(update={"seeds_of": {}})
    tables = dict(estimate.without(demo))["method random-size-matched"].tables
    smaller = demo.model_copy(update={"settings": settings, "tables": tables})
    wall = estimate.wall_seconds(estimate.timed(smaller, Measurements([]), cores=2), 2, None)
    assert wall.low < SMALLER_DEMO_SECONDS < wall.high
    assert SMALLER_DEMO_SECONDS / 1.5 < wall.typical < SMALLER_DEMO_SECONDS * 1.5


@pytest.mark.parametrize("name", ["demo", "smoke", "mini", "paper"])
def test_plan__jobs_once_and_after_what_they_depend_on(repository, name):
    found = set()
    for job in jobs.plan(load.load(repository / "config", name)):
        assert job.key not in found
        assert job.after <= found
        assert job.work >= 0
        found.add(job.key)


def test_plan__twice_the_rows_are_twice_the_work(demo):
    settings = demo.settings.model_copy(update={"pools": {"reasoning": PoolRows(rows=960)}})
    larger = {job.key: job for job in jobs.plan(demo.model_copy(update={"settings": settings}))}
    for job in jobs.plan(demo):
        if job.rule in ("finetune", "pool_gradients", "pool_embeddings"):
            assert larger[job.key].work == pytest.approx(2 * job.work)


@given(st.data())
def test_schedule__within_what_any_schedule_can_do(data):
    count = data.draw(st.integers(1, 12))
    edges = [sorted(data.draw(st.sets(st.integers(0, number - 1)))) if number else [] for number in range(count)]
    seconds = data.draw(st.lists(st.integers(1, 100), min_size=count, max_size=count))
    cores = data.draw(st.integers(1, 4))
    ends = []
    for number, after in enumerate(edges):
        ends.append(seconds[number] + max((ends[other] for other in after), default=0))
    rows = runs(edges, seconds)
    wall = schedule.wall_seconds(rows, cores, None)
    assert max(ends[-1], max(ends), sum(seconds) / cores) <= wall <= sum(seconds)
    assert schedule.wall_seconds(rows, None, None) == max(ends)
    assert schedule.wall_seconds(rows, 1, None) == sum(seconds)


def test_schedule__fewer_gpus_than_a_job_wants_take_longer():
    rows = runs([[]], [100], gpus=4)
    assert [schedule.wall_seconds(rows, 8, gpus) for gpus in (None, 4, 1)] == [100, 100, 400]


def test_without__what_is_left_out_is_gone(repository):
    paper = load.load(repository / "config", "paper")
    smaller = dict(estimate.without(paper))
    assert {"pool infinity-instruct", "method full", "ratio 0.05", "target mmlu"} <= smaller.keys()
    all_jobs = len(jobs.plan(paper))
    for label, experiment in smaller.items():
        kind, _, name = label.partition(" ")
        left = jobs.plan(experiment)
        assert len(left) < all_jobs
        if kind != "all":
            assert name not in {value for job in left for _, value in job.wildcards}


def test_text__the_papers_tables_are_counted_apart_from_controls(repository, tmp_path):
    text = estimate.text(load.load(repository / "config", "paper"), tmp_path)
    counts = {words[0]: words[1:3] for words in map(str.split, text.splitlines()) if words and "table" in words[0]}
    assert (counts["table1"], counts["table1-controls"]) == (["279", "315"], ["360", "735"])


def test_text__ranges_and_where_prices_are_from(demo, tmp_path):
    text = estimate.text(demo, tmp_path, cores=2)
    total = re.search(r"^  all +\d+ +0\.00 +([\d.]+) to ([\d.]+)$", text, re.MULTILINE)
    assert float(total[1]) < float(total[2])
    assert text.count(" default, measured: ") == 2 * len(prices.WORK_UNIT)
    assert re.search(r"2 cores +[\d.]+ to [\d.]+ minutes", text)
    assert "method full" in text
