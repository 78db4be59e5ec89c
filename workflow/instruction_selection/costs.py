"""What a job takes: seconds = start + work / (speed * devices), per kind of job (`jobs.KINDS`) and of machine.

Devices are the GPUs of a job, or its threads where it has none. Start and speed come from the benchmark files of
finished runs where those say enough, and else from the defaults below.
"""

import csv
import statistics
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from instruction_selection import jobs, resources
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.settings import Settings
from instruction_selection.jobs import Job
from instruction_selection.layout import Layout

#: Seconds until a job works: imports and a small model. Measured on a CPU in the demo.
START = {"training": 16, "gradients": 15, "embeddings": 6, "selection": 1, "evaluation": 20}
#: Bytes of weights that are read per second, which a large model adds to that. Assumed.
DISK = 1e9
#: Work per second and device (True: a GPU; False: a thread), in units of `jobs.UNITS`. Of a thread: measured in the
#: demo with SmolLM2-135M (170 tokens per second in training, 150 of gradients, and evaluation in larger batches) and
#: all-MiniLM-L6-v2. Of a GPU, and of selection: as `resources` assumes it.
SPEED = {
    "training": {True: resources.SPEED[True] / resources.OPERATIONS, False: 2.3e10},
    "gradients": {True: resources.SPEED[True] / resources.OPERATIONS, False: 2e10},
    "embeddings": {True: resources.EMBEDDED[True], False: 70},
    "selection": {False: resources.BANDWIDTH},
    "evaluation": {True: resources.SPEED[True] / resources.OPERATIONS, False: 6e10},
}
#: Finished jobs tell about others whose model is at most so many times larger or smaller.
SIMILAR = 10
#: Between the smallest and the largest of the finished jobs, so that start and speed can be told apart.
CONTRAST = 4


@dataclass(frozen=True)
class Cost:
    """`start` in seconds, `speed` in units of work per second and device; `source` says where they are from."""

    start: float
    speed: float
    source: str

    def seconds(self, job: Job, devices: int) -> float:
        return self.start + 2 * (job.parameters or 0) / DISK + job.work / (self.speed * devices)


def devices(rule: str, settings: Settings) -> tuple[int, int]:
    """(GPUs, threads) of a rule's job, over all its nodes; those of no kind have one thread."""
    kind = jobs.KINDS.get(rule)
    nodes = settings.nodes.training if kind == "training" else 1
    return getattr(settings.gpus, kind or "", 0) * nodes, getattr(settings.threads, kind or "", 1) * nodes


def of(experiment: Experiment, finished: list[Experiment], results: str | Path) -> dict[str, Cost]:
    """The unit costs of each kind of job in `experiment`, from `finished` runs below `results` where they have any."""
    wanted = jobs.of(experiment)
    done = [(job, other) for other in finished for job in jobs.of(other)]
    return {
        kind: _fitted(kind, [job for job in wanted if job.kind == kind], experiment, done, Path(results))
        for kind in dict.fromkeys(job.kind for job in wanted)
    }


def runs(results: str | Path) -> tuple[list[Experiment], list[str]]:
    """Experiments that ran, wholly or in part, below `results`; and names of those of another version."""
    found, unreadable = [], []
    for path in sorted(Path(results).glob("*/config.resolved.yaml")):
        try:
            found.append(Experiment.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))))
        except ValidationError:
            unreadable.append(path.parent.name)
    return found, unreadable


def _fitted(kind: str, wanted: list[Job], experiment: Experiment, done: list, results: Path) -> Cost:
    on_gpu = devices(wanted[0].rule, experiment.settings)[0] > 0
    default = Cost(START[kind], SPEED[kind][on_gpu], "default")
    points = []
    for job, other in done:
        gpus, threads = devices(job.rule, other.settings)
        if job.kind == kind and (gpus > 0) == on_gpu and _similar(job, wanted):
            seconds = _measured(results, other.name, job)
            if seconds is not None:
                points.append((job.work / (gpus or threads), seconds))
    work = [point[0] for point in points]
    if not points:
        return default
    if max(work) < CONTRAST * min(work) or not max(work):
        return Cost(default.start, default.speed, f"default; the {len(points)} finished jobs are of one size")
    slope, start = statistics.linear_regression(work, [seconds for _, seconds in points])
    if slope <= 0 or start < 0:
        return Cost(default.start, default.speed, f"default; the {len(points)} finished jobs do not show it")
    loading = 2 * statistics.mean(job.parameters or 0 for job in wanted) / DISK
    return Cost(max(0.0, start - loading), 1 / slope, f"{len(points)} finished jobs")


def _similar(job: Job, wanted: list[Job]) -> bool:
    if job.parameters is None:
        return True
    return any(1 / SIMILAR <= job.parameters / other.parameters <= SIMILAR for other in wanted)


def _measured(results: Path, experiment: str, job: Job) -> float | None:
    """Seconds of a finished job, of its benchmark file; None if it has none."""
    names = [name for name, _ in job.wildcards]
    path = Path(Layout(experiment, str(results)).benchmark(job.rule, *names).format(**dict(job.wildcards)))
    if not path.is_file():
        return None
    with path.open(encoding="utf-8") as handle:
        return float(next(csv.DictReader(handle, delimiter="\t"))["s"])
