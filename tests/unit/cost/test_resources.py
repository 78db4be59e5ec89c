"""Time and memory limits follow from the price list and grow with what a job works on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.cost import duration, jobs, prices, resources
from instruction_selection.experiment import load as loading
from instruction_selection.experiment import machines
from instruction_selection.experiment.settings import Gpus, PoolRows, Projection
from instruction_selection.selection.walk import quantised

EXPERIMENTS = ["demo", "smoke", "mini", "paper"]
LLAMA_8B = 8 * 10**9


@pytest.fixture(scope="module")
def load(repository):
    return lambda name: loading.load(repository / "config", name)


@pytest.fixture(scope="module")
def demo(load):
    return load("demo")


def with_settings(experiment, **changes):
    return experiment.model_copy(update={"settings": experiment.settings.model_copy(update=changes)})


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_runtime_minutes__above_the_high_end_of_the_estimate(load, name):
    experiment = load(name)
    for job in jobs.plan(experiment):
        gpus, threads = jobs.devices(experiment, job.rule, dict(job.wildcards))
        workers = machines.workers(job.rule, gpus, threads)
        estimated = duration.default_cost(job.stage, gpus > 0).seconds(job, workers)
        limit = 60 * resources.runtime_minutes(experiment, job.rule, dict(job.wildcards))
        assert resources.TIME_SAFETY * estimated.high <= limit
        assert limit <= resources.TIME_SAFETY * estimated.high + 60 * (resources.EXTRA_MINUTES + 1)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_memory_mb__every_job_asks_for_some(load, name):
    experiment = load(name)
    for job in jobs.plan(experiment):
        assert resources.memory_mb(experiment, job.rule, dict(job.wildcards)) > prices.PYTHON_MB.high


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.integers(1, 8))
def test_runtime_minutes__grows_with_rows_and_falls_with_gpus(demo, rows, more, gpus):
    def limit(pool_rows, number):
        changed = with_settings(demo, pools={"reasoning": PoolRows(rows=pool_rows)}, gpus=Gpus(training=number))
        names = {"model": "smollm2-135m", "pool": "reasoning", "target": "logic", "method": "less", "ratio": "0.1"}
        return resources.runtime_minutes(changed, "finetune", names)

    assert limit(rows + more, gpus) >= limit(rows, gpus) >= limit(rows, gpus + 1) > resources.EXTRA_MINUTES


@given(st.integers(1, 10**7), st.sampled_from([256, 8192]))
def test_memory_mb__a_selection_holds_an_index_copies_and_what_thirty_walks_keep(demo, rows, dimension):
    """A byte per number, and 30 bytes per row and walk; the method's share alone holds all but the index."""
    gradients = demo.settings.gradients.model_copy(update={"projection": Projection(dimension=dimension)})
    changed = with_settings(demo, pools={"reasoning": PoolRows(rows=rows)}, gradients=gradients)
    asked = resources.memory_mb(changed, "select_rows", {"pool": "reasoning", "method": "g2is", "ratio": "0.1"})
    copies_mib = rows * (dimension + 30 * 30) / 2**20
    index = resources.index_mb(rows)
    assert resources.method_mib(asked, index) > quantised.RESERVED_MIB + copies_mib
    assert asked * 1e6 > (resources.method_mib(asked, index) << 20) + index * 1e6


@given(st.integers(1, 10**7))
def test_memory_mb__a_selection_on_a_gpu_holds_no_copies_but_torch_and_cached_rows(demo, rows):
    changed = with_settings(demo, pools={"reasoning": PoolRows(rows=rows)}, gpus=Gpus(selection=1))
    names = {"pool": "reasoning", "method": "g2is", "ratio": "0.1"}
    asked = resources.memory_mb(changed, "select_rows", names)
    left = resources.method_mib(asked, resources.index_mb(rows, on_gpu=True))
    cached_mib = rows * 8192 * prices.CACHED_BYTES_PER_NUMBER.high / 2**20
    assert left > quantised.RESERVED_MIB + cached_mib + rows * 30 * 30 / 2**20
    assert asked > resources.MEMORY_SAFETY * prices.TORCH_MB.high
    assert left < resources.method_mib(asked, resources.index_mb(rows))


def test_devices__only_methods_with_a_part_for_a_gpu_get_one(demo):
    changed = with_settings(demo, gpus=Gpus(selection=1))
    for name, method in demo.methods.items():
        for experiment, expected in ((changed, int(method.on_gpu)), (demo, 0)):
            assert jobs.devices(experiment, "select_rows", {"method": name})[0] == expected
            assert jobs.devices(experiment, "finetune", {"method": name})[0] == 0


def test_runtime_minutes__a_walk_over_a_million_rows_takes_minutes_on_a_gpu(demo):
    names = {"pool": "reasoning", "method": "g2is", "ratio": "0.01", "target": "logic"}
    pools = {"reasoning": PoolRows(rows=10**6)}
    without, with_gpu = (
        resources.runtime_minutes(with_settings(demo, pools=pools, gpus=Gpus(selection=number)), "select_rows", names)
        for number in (0, 1)
    )
    assert with_gpu - resources.EXTRA_MINUTES < (without - resources.EXTRA_MINUTES) / 10
    typical = duration.default_cost("selection", True).seconds(
        jobs.job(with_settings(demo, pools=pools, gpus=Gpus(selection=1)), "select_rows", names), 1
    )
    assert 60 < typical.typical < 300


def test_method_mib__megabytes_are_not_mebibytes():
    assert resources.method_mib(math.ceil(resources.MEMORY_SAFETY * 2**20), 0) == 10**6


@pytest.mark.parametrize(
    ("stage", "gpus", "gigabytes"),
    [("training", 0, 86), ("training", 1, 24), ("training", 4, 95), ("gradients", 1, 24), ("evaluation", 1, 24)],
)
def test_model_mb__eight_billion_parameters(stage, gpus, gigabytes):
    """Without a GPU weights stay, in float32 and a copy; with several each process has its own on the way."""
    assert round(resources.model_mb(LLAMA_8B, stage, gpus) / 1000) == gigabytes


def test_limits__of_a_split_model_are_those_of_one_process_on_one_gpu(demo):
    """Its GPUs take turns, and one process reads the model."""
    names = {"model": "smollm2-135m", "pool": "reasoning", "checkpoint": "1", "shard": "0"}
    one, four = (with_settings(demo, gpus=Gpus(gradients=number)) for number in (1, 4))
    assert [machines.devices("pool_gradients", each.settings)[0] for each in (one, four)] == [1, 4]
    for limit in (resources.runtime_minutes, resources.memory_mb):
        assert limit(one, "pool_gradients", names) == limit(four, "pool_gradients", names)


def test_limits__the_demo_asks_for_more_than_was_measured_and_not_ten_times_as_much(demo):
    """Fine-tuning SmolLM2-135M on 480 rows for two epochs took 5.1 minutes and 2.9 GB."""
    everything = {"model": "smollm2-135m", "pool": "reasoning", "target": "any", "method": "full", "ratio": "1"}
    assert 5.1 < resources.runtime_minutes(demo, "finetune", everything) < 51
    assert 2900 < resources.memory_mb(demo, "finetune", everything) < 8000


def test_prices__ordered_and_with_a_source():
    listed = [value for value in vars(prices).values() if isinstance(value, prices.Price)]
    for table in (prices.START_SECONDS, prices.WORK_PER_SECOND, prices.WEIGHT_BYTES_PER_PARAMETER):
        listed += table.values()
    assert len(listed) > 30
    for price in listed:
        assert 0 < price.low <= price.typical <= price.high
        assert price.unit
        assert price.source.split(":")[0].split(",")[0]
