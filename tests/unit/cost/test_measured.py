"""What finished jobs measured of themselves is used for similar jobs alone."""

import dataclasses

import pytest
import yaml

from instruction_selection.core import files
from instruction_selection.cost import duration, estimate, jobs, measured
from instruction_selection.cost.measured import Measurements
from instruction_selection.experiment import load, machines
from instruction_selection.experiment.paths import Layout
from instruction_selection.experiment.settings import Gpus

SMOLLM2 = 134515008
LOADING_SECONDS = 2 * SMOLLM2 / 1e9
#: Parameter-tokens per second of a thread in the recorded runs.
RATE = 1e10
#: Seconds of the demo's selections, on two busy cores.
SELECTION_SECONDS = {"full": 0.9, "random": 0.9, "random-size-matched": 0.9, "sbert": 1.3, "less": 1.6, "g2is": 6.8}


@pytest.fixture(scope="module")
def demo(repository):
    return load.load(repository / "config", "demo")


@pytest.fixture(scope="module")
def paper(repository):
    return load.load(repository / "config", "paper")


def record(results, experiment, seconds, worked=None, **about):
    """A finished run in which each job took `seconds(job)`, and says that it worked `worked(job)` of them."""
    layout = Layout(experiment.folder, str(results))

    def write(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    for job in jobs.plan(experiment):
        names = dict(job.wildcards)
        benchmark = results / layout.benchmark(job.rule, *names).format(**names)
        write(benchmark, f"s\th:m:s\tmax_rss\n{seconds(job)}\t0:00:01\t1000\n")
        if worked:
            said = {"seconds": worked(job), "share": 1.0, "gpu": False, **about}
            files.write_json(results / layout.worked(job.rule, *names).format(**names), said)
    write(results / experiment.folder / "config.resolved.yaml", yaml.safe_dump(experiment.resolved()))


def as_the_demo_leaves_it(results, demo):
    """Jobs at the list prices of its machine, and selections of a second or two."""

    def worked(job):
        if job.stage == "selection":
            return SELECTION_SECONDS[dict(job.wildcards)["method"]]
        return job.work / duration.default_cost(job.stage, False).rate.typical

    record(results, demo, lambda job: 1 + worked(job), worked)


def unit_costs(experiment, measurements):
    rows = estimate.timed(experiment, measurements)
    return {row.job.key: (row.job, row.gpus > 0, row.unit_cost) for row in rows}


def of_kind(experiment, measurements, rule):
    return {cost for job, _, cost in unit_costs(experiment, measurements).values() if job.rule == rule}


def test_read__finished_draws_are_measured_too(demo, paper, repository, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    as_the_demo_leaves_it(one, demo)
    as_the_demo_leaves_it(other, load.load(repository / "config", "demo", 2))
    alone, drawn = (measured.read(results) for results in (one, other))
    assert not alone[1]
    assert not drawn[1]
    assert unit_costs(demo, alone[0]) == unit_costs(demo, drawn[0]) != unit_costs(demo, measured.read(tmp_path)[0])
    (other / "demo/draw2/config.resolved.yaml").write_text("{}")
    assert measured.read(other)[1] == ["demo/draw2"]


def test_estimate__a_finished_demo_does_not_change_the_paper(demo, paper, tmp_path):
    as_the_demo_leaves_it(tmp_path, demo)
    measurements, unreadable = measured.read(tmp_path)
    assert not unreadable
    for job, on_gpu, cost in unit_costs(paper, measurements).values():
        assert cost == duration.default_cost(job.stage, on_gpu)
    fresh, after = estimate.text(paper, tmp_path / "none"), estimate.text(paper, tmp_path)
    assert fresh == after


def test_estimate__a_finished_demo_changes_the_demo(demo, tmp_path):
    as_the_demo_leaves_it(tmp_path, demo)
    [cost] = of_kind(demo, measured.read(tmp_path)[0], "finetune")
    assert cost.rate.typical == pytest.approx(2.3e10)
    # Selections of a second are all start-up.
    [cost] = of_kind(demo, measured.read(tmp_path)[0], "select_rows")
    assert cost == duration.default_cost("selection", False)


@pytest.mark.parametrize("rule", ["warmup", "finetune", "pool_gradients", "evaluate"])
def test_unit_cost__start_and_work_by_the_jobs_own_seconds(demo, tmp_path, rule):
    """Jobs that are nearly all start-up tell as well."""
    record(tmp_path, demo, lambda job: 7000 + LOADING_SECONDS + job.work / RATE, lambda job: job.work / RATE)
    [cost] = of_kind(demo, measured.read(tmp_path)[0], rule)
    assert cost.rate.typical == pytest.approx(RATE)
    assert cost.start.typical == pytest.approx(7000)
    assert "finished jobs" in cost.rate.source
    assert "finished jobs" in cost.start.source


def test_unit_cost__of_a_resumed_job_by_its_share(demo, tmp_path):
    record(tmp_path, demo, lambda job: 20 + job.work / RATE, lambda job: job.work / RATE, share=0.25)
    [cost] = of_kind(demo, measured.read(tmp_path)[0], "pool_gradients")
    assert cost.rate.typical == pytest.approx(RATE / 4)


def test_unit_cost__not_of_jobs_that_do_not_say_how_long_they_worked_or_hardly_did(demo, tmp_path):
    record(tmp_path, demo, lambda job: 16 + job.work / RATE)
    [cost] = of_kind(demo, measured.read(tmp_path)[0], "finetune")
    assert cost == duration.default_cost("training", False)
    record(tmp_path, demo, lambda job: 16, lambda job: measured.LEAST_SECONDS - 0.1)
    [cost] = of_kind(demo, measured.read(tmp_path)[0], "finetune")
    assert cost == duration.default_cost("training", False)


def test_unit_cost__not_of_a_processor_where_a_gpu_was_wanted(demo, tmp_path):
    settings = demo.settings.model_copy(update={"gpus": Gpus(training=1)})
    on_gpus = demo.model_copy(update={"settings": settings})
    for gpu in (False, True):
        record(tmp_path, on_gpus, lambda job: 7 + job.work / RATE, lambda job: job.work / RATE, gpu=gpu)
        [cost] = of_kind(on_gpus, measured.read(tmp_path)[0], "finetune")
        assert (cost != duration.default_cost("training", True)) == gpu


@pytest.mark.parametrize(("factor", "used"), [(90, True), (110, False), (1 / 90, True), (1 / 110, False)])
def test_unit_cost__within_a_factor_of_100_of_the_work(demo, factor, used):
    done = next(job for job in jobs.plan(demo) if job.rule == "finetune")
    measurements = Measurements([measured.FinishedJob(done, False, 1, 1000.0, 900.0)])
    cost = measurements.unit_cost(dataclasses.replace(done, work=factor * done.work), False)
    assert (cost != duration.default_cost("training", False)) == used


@pytest.mark.parametrize("change", ["gpu", "model"])
def test_unit_cost__other_machines_and_other_sizes_do_not_count(demo, tmp_path, change):
    record(tmp_path, demo, lambda job: 7 + job.work / RATE, lambda job: job.work / RATE)
    measurements, _ = measured.read(tmp_path)
    # The work stays in reach: only the size of the model differs.
    sixtyfold = {"smollm2-135m": demo.models["smollm2-135m"].model_copy(update={"parameters": 60 * SMOLLM2})}
    settings = demo.settings.model_copy(update={"gpus": Gpus(training=1)})
    other = demo.model_copy(update={"models": sixtyfold} if change == "model" else {"settings": settings})
    found = unit_costs(other, measurements).values()
    trained = [(on_gpu, cost) for job, on_gpu, cost in found if job.stage == "training"]
    assert trained
    assert all(cost == duration.default_cost("training", on_gpu) for on_gpu, cost in trained)


def test_read__an_experiment_of_a_version_without_these_keys_is_named(demo, tmp_path):
    record(tmp_path, demo, lambda job: 1)
    old = demo.resolved()
    del old["settings"]["warmup"]
    (tmp_path / "demo/config.resolved.yaml").write_text(yaml.safe_dump(old))
    assert measured.read(tmp_path)[1] == ["demo"]
    assert "another version made them: demo." in estimate.text(demo, tmp_path)


def test_devices__of_every_stage(demo):
    for job in jobs.plan(demo):
        assert machines.devices(job.rule, demo.settings) == (0, 1)
