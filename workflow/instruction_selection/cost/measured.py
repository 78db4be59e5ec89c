"""Unit costs from the benchmark files of finished runs, where those say enough.

A fine-tuning records the seconds that the trainer worked; the rest of its benchmark is start-up. Other jobs record only
their whole time. Of these, start-up is known within the range that `prices` gives, and a job counts only if that leaves
the time of its work known within `PRECISION`: jobs that are mostly start-up say nothing about work.

What was measured is used for similar jobs alone: the same stage, GPU or not, a model of similar size, and a work within
a factor of `REACH`. All others have the list price.
"""

import statistics
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import ValidationError

from instruction_selection.core import files
from instruction_selection.cost import duration, jobs, prices
from instruction_selection.cost.duration import UnitCost
from instruction_selection.cost.jobs import Job
from instruction_selection.cost.prices import Price
from instruction_selection.experiment import machines
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.paths import Layout

#: Largest ratio between the work of a job and that of the finished jobs that its unit cost is taken from.
REACH = 100
#: Largest ratio between the sizes of their models.
SIMILAR_MODEL = 10
#: Largest ratio between the most and the least time that a finished job can have worked.
PRECISION = 1.5
#: A measured price is taken to be uncertain by this factor at least.
SPREAD = 1.25


@dataclass(frozen=True)
class FinishedJob:
    """A job of a finished run, on so many devices: GPUs or, without, threads."""

    job: Job
    on_gpu: bool
    devices: int
    #: From the start of its process to its end.
    total_seconds: float
    #: Of which the job itself says that it worked; None if it does not say.
    work_seconds: float | None

    @cached_property
    def work_seconds_range(self) -> tuple[float, float] | None:
        """The least and the most seconds that it can have worked; None if it was mostly start-up or did no work."""
        if not self.job.work:
            return None
        if self.work_seconds is not None:
            return self.work_seconds, self.work_seconds
        start = prices.START_SECONDS[self.job.stage, self.on_gpu]
        before = duration.loading_seconds(self.job.parameters) + start
        least, most = self.total_seconds - before.high, self.total_seconds - before.low
        return (least, most) if least > 0 and most <= PRECISION * least else None


class Measurements:
    """The finished jobs of all experiments below a folder `results`."""

    def __init__(self, finished: list[FinishedJob]):
        self._usable = [(done, seconds) for done in finished if (seconds := done.work_seconds_range)]
        # By stage, GPU or not, and size of the model: the least and the most work of similar finished jobs, and their
        # unit cost; None without such jobs.
        self._found: dict[tuple, tuple[float, float, UnitCost] | None] = {}

    def unit_cost(self, job: Job, on_gpu: bool) -> UnitCost:
        """Of the finished jobs that are similar to `job`, or else the list price."""
        key = job.stage, on_gpu, job.parameters
        if key not in self._found:
            self._found[key] = self._of_similar(job, on_gpu)
        if found := self._found[key]:
            least, most, unit_cost = found
            if least / REACH <= job.work <= REACH * most:
                return unit_cost
        return duration.default_cost(job.stage, on_gpu)

    def _of_similar(self, job: Job, on_gpu: bool) -> tuple[float, float, UnitCost] | None:
        similar = [
            (done, seconds)
            for done, seconds in self._usable
            if done.job.stage == job.stage and done.on_gpu == on_gpu and _similar_model(done.job, job)
        ]
        if not similar:
            return None
        work = [done.job.work for done, _ in similar]
        return min(work), max(work), _unit_cost(similar, duration.default_cost(job.stage, on_gpu))


def read(results: str | Path) -> tuple[Measurements, list[str]]:
    """What finished jobs of the experiments below `results` measured, and the experiments of a version that this one
    cannot read."""
    finished, unreadable = [], []
    found = [path for folder in ("*", "*/draw*") for path in Path(results).glob(f"{folder}/config.resolved.yaml")]
    for path in sorted(found):
        try:
            experiment = Experiment.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except ValidationError:
            unreadable.append(path.parent.relative_to(results).as_posix())
        else:
            planned = jobs.plan(experiment)
            finished += [done for job in planned if (done := _finished(Path(results), experiment, job))]
    return Measurements(finished), unreadable


def _similar_model(one: Job, other: Job) -> bool:
    if one.parameters is None or other.parameters is None:
        return one.parameters == other.parameters
    return 1 / SIMILAR_MODEL <= one.parameters / other.parameters <= SIMILAR_MODEL


def _unit_cost(finished: list[tuple[FinishedJob, tuple[float, float]]], default: UnitCost) -> UnitCost:
    low, typical, high = [], [], []
    for done, (least, most) in finished:
        for rates, seconds in ((low, most), (typical, (least + most) / 2), (high, least)):
            rates.append(done.job.work / seconds / done.devices)
    source = f"measured: {len(finished)} finished jobs"
    # The median, as a training that was resumed records only its last part.
    rate = _widened(min(low), statistics.median(typical), max(high), default.rate.unit, source)
    return UnitCost(_start([done for done, _ in finished], default.start, source), rate)


def _start(finished: list[FinishedJob], default: Price, source: str) -> Price:
    """Start-up of the jobs that say how long they worked, or the list price if none does."""
    seconds = [
        max(0.0, done.total_seconds - done.work_seconds - duration.loading_seconds(done.job.parameters).typical)
        for done in finished
        if done.work_seconds is not None
    ]
    if not seconds:
        return default
    return _widened(min(seconds), statistics.median(seconds), max(seconds), default.unit, source)


def _widened(low: float, typical: float, high: float, unit: str, source: str) -> Price:
    return Price(min(low, typical / SPREAD), typical, max(high, typical * SPREAD), unit, source)


def _finished(results: Path, experiment: Experiment, job: Job) -> FinishedJob | None:
    layout, wildcards = Layout(experiment.folder, str(results)), dict(job.wildcards)
    benchmark = Path(layout.benchmark(job.rule, *wildcards).format(**wildcards))
    if not benchmark.is_file():
        return None
    total_seconds = float(files.read_benchmark(benchmark)["s"])
    work_seconds = None
    summary = Path(layout.training_summary.format(**wildcards)) if job.rule == "finetune" else None
    if summary and summary.is_file():
        work_seconds = files.read_json(summary)["results"]["train_runtime"]
    gpus, _ = machines.devices(job.rule, experiment.settings)
    return FinishedJob(job, gpus > 0, machines.workers(job.rule, experiment.settings), total_seconds, work_seconds)
