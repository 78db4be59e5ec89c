"""Unit costs from the finished runs, by the seconds that each job measured itself.

A job records how long it worked (`core.worked`), and Snakemake's benchmark has its whole time: the rest is start-up. A
job that worked for less than `LEAST_SECONDS` says nothing: most of that is what is done once, like opening files.

What was measured is used for similar jobs alone: the same stage, GPU or not, a model of similar size, and a work within
a factor of `REACH`. All others have what `make gpu` measured, or else the list price.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from instruction_selection.core import files
from instruction_selection.cost import duration, gpu, jobs
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
#: Of work, from which a rate is taken; set.
LEAST_SECONDS = 10
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
    #: Of which it worked, and the share of its work that it did in them.
    work_seconds: float
    share: float = 1.0

    @property
    def rate(self) -> float:
        """Work per second and device."""
        return self.job.work * self.share / self.work_seconds / self.devices

    @property
    def start_seconds(self) -> float:
        """What is left of the whole time without work and the reading of weights."""
        loading = duration.loading_seconds(self.job.parameters).typical
        return max(0.0, self.total_seconds - self.work_seconds - loading)


class Measurements:
    """The finished jobs of all experiments below a folder `results`, and the rates by stage of its `gpu.json`."""

    def __init__(self, finished: list[FinishedJob], gpu_rates: Mapping[str, Price] | None = None):
        self._gpu_rates = gpu_rates or {}
        self._usable = [done for done in finished if done.job.work and done.work_seconds >= LEAST_SECONDS]
        # By stage, GPU or not, and size of the model: the least and the most work of similar finished jobs, and their
        # unit cost; None without such jobs.
        self._found: dict[tuple, tuple[float, float, UnitCost] | None] = {}

    def unit_cost(self, job: Job, on_gpu: bool) -> UnitCost:
        """Of the finished jobs that are similar to `job`, or else of `make gpu`, or else the list price."""
        key = job.stage, on_gpu, job.parameters
        if key not in self._found:
            self._found[key] = self._of_similar(job, on_gpu)
        if found := self._found[key]:
            least, most, unit_cost = found
            if least / REACH <= job.work <= REACH * most:
                return unit_cost
        default = duration.default_cost(job.stage, on_gpu)
        rate = self._gpu_rates.get(job.stage) if on_gpu else None
        return UnitCost(default.start, rate) if rate else default

    def _of_similar(self, job: Job, on_gpu: bool) -> tuple[float, float, UnitCost] | None:
        similar = [
            done
            for done in self._usable
            if done.job.stage == job.stage and done.on_gpu == on_gpu and _similar_model(done.job, job)
        ]
        if not similar:
            return None
        work = [done.job.work for done in similar]
        return min(work), max(work), _unit_cost(similar, duration.default_cost(job.stage, on_gpu))


def read(results: str | Path) -> tuple[Measurements, list[str]]:
    """What finished jobs of the experiments below `results` and `make gpu` measured, and the experiments of a version
    that this one cannot read."""
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
    return Measurements(finished, gpu.rates(results)), unreadable


def _similar_model(one: Job, other: Job) -> bool:
    if one.parameters is None or other.parameters is None:
        return one.parameters == other.parameters
    return 1 / SIMILAR_MODEL <= one.parameters / other.parameters <= SIMILAR_MODEL


def _unit_cost(finished: list[FinishedJob], default: UnitCost) -> UnitCost:
    source = f"measured: {len(finished)} finished jobs"
    # The median, as a training that was resumed records only its last part.
    starts, rates = [done.start_seconds for done in finished], [done.rate for done in finished]
    return UnitCost(_price(starts, default.start.unit, source), _price(rates, default.rate.unit, source))


def _price(values: list[float], unit: str, source: str) -> Price:
    typical = statistics.median(values)
    return Price(min(*values, typical / SPREAD), typical, max(*values, typical * SPREAD), unit, source)


def _finished(results: Path, experiment: Experiment, job: Job) -> FinishedJob | None:
    """None of a job that is not finished, or did not record its work on the devices that it was to have."""
    layout, wildcards = Layout(experiment.folder, str(results)), dict(job.wildcards)
    benchmark, worked = (
        Path(path(job.rule, *wildcards).format(**wildcards)) for path in (layout.benchmark, layout.worked)
    )
    gpus, threads = jobs.devices(experiment, job.rule, wildcards)
    if not (benchmark.is_file() and worked.is_file()):
        return None
    recorded = files.read_json(worked)
    if gpus and not recorded["gpu"]:
        return None
    total = float(files.read_benchmark(benchmark)["s"])
    workers = machines.workers(job.rule, gpus, threads)
    return FinishedJob(job, gpus > 0, workers, total, recorded["seconds"], recorded["share"])
