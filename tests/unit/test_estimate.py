"""The estimate's numbers follow from the grid, and from what finished runs recorded."""

import dataclasses

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection import config, costs, estimate, jobs
from instruction_selection.jobs import Job
from instruction_selection.layout import Layout

#: Seconds of the demo on two cores of an AMD EPYC (Zen 5), two jobs at a time, set-up not included.
DEMO = 790


@pytest.fixture(scope="module")
def demo(repository):
    return config.load(repository / "config", "demo")


def record(results, experiment, seconds):
    """A finished run: benchmark files in which each job took `seconds(job)`."""
    layout = Layout(experiment.name, str(results))
    for job in jobs.of(experiment):
        names = [name for name, _ in job.wildcards]
        path = results / layout.benchmark(job.rule, *names).format(**dict(job.wildcards))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\n{seconds(job)}\t0\n")
    (results / experiment.name / "config.resolved.yaml").write_text(yaml.safe_dump(experiment.resolved()))


def timed(edges, seconds, gpus=0):
    """Rows of which number n waits for those in `edges[n]`."""
    keys = [("finetune", (("seed", str(number)),)) for number in range(len(edges))]
    return [
        estimate.Timed(Job(*keys[number], 1, None, frozenset(keys[other] for other in after)), gpus, 1, seconds[number])
        for number, after in enumerate(edges)
    ]


def test_the_demo_takes_what_it_took_by_the_default_unit_costs(demo):
    rows = estimate.timed(demo, costs.of(demo, [], "results"), cores=2)
    assert DEMO / 1.5 < estimate.wall_seconds(rows, 2, None) < DEMO * 1.5


@pytest.mark.parametrize("name", ["demo", "smoke", "mini", "paper"])
def test_jobs_come_once_and_after_what_they_wait_for(repository, name):
    seen = set()
    for job in jobs.of(config.load(repository / "config", name)):
        assert job.key not in seen
        assert job.after <= seen
        assert job.work >= 0
        seen.add(job.key)


def test_twice_the_rows_are_twice_the_work(demo):
    settings = {**demo.settings, "pools": {"reasoning": {"rows": 960}}}
    larger = {job.key: job for job in jobs.of(dataclasses.replace(demo, settings=settings))}
    for job in jobs.of(demo):
        if job.rule in ("finetune", "pool_gradients", "pool_embeddings"):
            assert larger[job.key].work == pytest.approx(2 * job.work)


@given(st.data())
def test_wall_time_is_within_what_any_schedule_can_do(data):
    count = data.draw(st.integers(1, 12))
    edges = [sorted(data.draw(st.sets(st.integers(0, number - 1)))) if number else [] for number in range(count)]
    seconds = data.draw(st.lists(st.integers(1, 100), min_size=count, max_size=count))
    cores = data.draw(st.integers(1, 4))
    ends = []
    for number, after in enumerate(edges):
        ends.append(seconds[number] + max((ends[other] for other in after), default=0))
    rows = timed(edges, seconds)
    wall = estimate.wall_seconds(rows, cores, None)
    assert max(ends[-1], max(ends), sum(seconds) / cores) <= wall <= sum(seconds)
    assert estimate.wall_seconds(rows, None, None) == max(ends)
    assert estimate.wall_seconds(rows, 1, None) == sum(seconds)


def test_a_job_that_wants_more_gpus_than_there_are_takes_longer():
    rows = timed([[]], [100], gpus=4)
    assert [estimate.wall_seconds(rows, 8, gpus) for gpus in (None, 4, 1)] == [100, 100, 400]


def test_unit_costs_are_those_of_finished_runs(demo, tmp_path):
    record(tmp_path, demo, lambda job: 7 + job.work / 1e10)
    found = costs.of(demo, costs.runs(tmp_path)[0], tmp_path)
    for kind in ("training", "gradients"):
        assert found[kind].speed == pytest.approx(1e10)
        assert found[kind].start + 2 * 134515008 / costs.DISK == pytest.approx(7)
        assert "finished jobs" in found[kind].source
    # Both targets take about as long, and so start and speed cannot be told apart.
    assert found["evaluation"].speed == costs.SPEED["evaluation"][False]
    assert found["evaluation"].source.startswith("default")


@pytest.mark.parametrize("change", ["gpu", "model"])
def test_runs_of_another_kind_of_machine_or_size_do_not_count(demo, tmp_path, change):
    record(tmp_path, demo, lambda job: 7 + job.work / 1e10)
    finished, _ = costs.runs(tmp_path)
    models = {"smollm2-135m": {**demo.models["smollm2-135m"], "parameters": 8 * 10**9}}
    gpus = {**demo.settings["gpus"], "training": 1}
    other = (
        dataclasses.replace(demo, models=models)
        if change == "model"
        else dataclasses.replace(demo, settings={**demo.settings, "gpus": gpus})
    )
    assert costs.of(other, finished, tmp_path)["training"].source == "default"


def test_a_run_of_a_version_without_these_keys_is_named(demo, tmp_path):
    pools = {"reasoning": {key: value for key, value in demo.pools["reasoning"].items() if key != "tokens"}}
    record(tmp_path, demo, lambda job: 1)
    (tmp_path / "demo/config.resolved.yaml").write_text(
        yaml.safe_dump(dataclasses.replace(demo, pools=pools).resolved())
    )
    assert costs.runs(tmp_path) == ([], ["demo"])
    assert "another version made them: demo." in estimate.text(demo, tmp_path)


def test_what_is_cut_is_gone(repository):
    paper = config.load(repository / "config", "paper")
    smaller = dict(estimate.without(paper))
    assert {"pool infinity-instruct", "method full", "ratio 0.05", "target mmlu"} <= smaller.keys()
    for label, experiment in smaller.items():
        _, name = label.split(" ", 1)
        values = {value for job in jobs.of(experiment) for _, value in job.wildcards}
        assert name not in values
        assert len(jobs.of(experiment)) < len(jobs.of(paper))


def test_the_papers_tables_are_counted_apart_from_controls(repository, tmp_path):
    text = estimate.text(config.load(repository / "config", "paper"), tmp_path)
    counts = {words[0]: words[1:3] for words in map(str.split, text.splitlines()) if len(words) == 5}
    assert (counts["table1"], counts["table1-controls"]) == (["279", "315"], ["360", "735"])


def test_the_text_says_where_numbers_come_from(demo, tmp_path):
    text = estimate.text(demo, tmp_path, cores=2)
    assert text.count("(default)") == len(jobs.UNITS)
    assert "2 cores" in text
    assert "method full" in text
