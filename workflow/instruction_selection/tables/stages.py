"""Time, memory and cost of each stage, from Snakemake's benchmark files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from instruction_selection.core import files
from instruction_selection.experiment import machines
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.settings import Settings


@dataclass(frozen=True)
class Stage:
    """All jobs of one rule."""

    rule: str
    jobs: int
    #: Of all jobs together.
    minutes: float
    longest_minutes: float
    #: The most that one job used; None if all were too short for a measurement.
    memory_mb: float | None
    gpu_hours: float
    #: Of jobs without GPU.
    cpu_hours: float


def build(folder: str | Path, settings: Settings, methods: Mapping[str, Method]) -> list[Stage]:
    """One stage per rule that ran, the longest first; on `methods` depends which selections had a GPU."""
    stages = []
    for path in sorted(Path(folder).iterdir()):
        paths = [path] if path.is_file() else sorted(path.rglob("*.tsv"))
        found = [_read(file) for file in paths]
        rule = path.stem if path.is_file() else path.name
        # Of a selection, the folders are .../{method}/{ratio}/{seed}.tsv.
        devices = [machines.devices(rule, settings, methods.get(file.parents[1].name)) for file in paths]
        seconds = [time for time, _ in found]
        costs = list(zip(seconds, devices, strict=True))
        stages.append(
            Stage(
                rule=rule,
                jobs=len(found),
                minutes=sum(seconds) / 60,
                longest_minutes=max(seconds) / 60,
                memory_mb=max((size for _, size in found if size is not None), default=None),
                gpu_hours=sum(time * gpus for time, (gpus, _) in costs) / 3600,
                cpu_hours=sum(time * threads for time, (gpus, threads) in costs if not gpus) / 3600,
            )
        )
    return sorted(stages, key=lambda stage: -stage.minutes)


def _read(path: Path) -> tuple[float, float | None]:
    """(seconds, largest memory in MB)."""
    row = files.read_benchmark(path)
    try:
        return float(row["s"]), float(row["max_rss"])
    except ValueError:  # "NA" or "-" for what was over too soon
        return float(row["s"]), None
