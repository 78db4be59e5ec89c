"""Estimates take the rates of GPU jobs from what `make gpu` wrote, and say so."""

import pytest

from instruction_selection.cost import duration, estimate, gpu, jobs, measured, prices
from instruction_selection.experiment import load

CARD = "NVIDIA A100-SXM4-40GB"


@pytest.fixture(scope="module")
def paper(repository):
    return load.load(repository / "config", "paper")


@pytest.fixture
def results(tmp_path):
    numbers = {"gradients": (7e13, gpu.rate_unit("gradients")), "bandwidth": (1.4e12, "bytes per second")}
    gpu.write(tmp_path / "results", CARD, 39.4, "2026-11-25", numbers, {"training with moments by name": "4 GPUs"})
    return tmp_path / "results"


def test_rates__of_the_stages_that_were_measured(results, tmp_path):
    [(stage, rate)] = gpu.rates(results).items()
    assert stage == "gradients"
    assert (rate.low, rate.typical, rate.high) == pytest.approx((7e13 / gpu.SPREAD, 7e13, 7e13 * gpu.SPREAD))
    assert rate.unit == prices.WORK_PER_SECOND["gradients", True].unit
    assert gpu.rates(tmp_path) == {}


@pytest.mark.parametrize("stage", prices.WORK_UNIT)
def test_write__rejects_a_rate_in_another_unit(tmp_path, stage):
    with pytest.raises(ValueError, match=stage):
        gpu.write(tmp_path, CARD, 39.4, "2026-11-25", {stage: (1.0, "tokens per second")}, {})
    assert not list(tmp_path.iterdir())


def test_unit_cost__of_make_gpu_for_gpu_jobs_of_its_stages_alone(paper, results):
    measurements, _ = measured.read(results)
    planned = {job.stage: job for job in jobs.plan(paper)}
    for on_gpu in (False, True):
        for stage in ("gradients", "training", "evaluation"):
            found, default = measurements.unit_cost(planned[stage], on_gpu), duration.default_cost(stage, on_gpu)
            assert found.start == default.start
            assert (found.rate == default.rate) == ((stage, on_gpu) != ("gradients", True))


def test_text__names_the_card_and_the_date(paper, results):
    text = estimate.text(paper, results)
    assert f"measured: {CARD}, make gpu, 2026-11-25" in text
    assert "default, " + prices.WORK_PER_SECOND["training", True].source in text
