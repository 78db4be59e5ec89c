"""Time, memory and cost of each stage, from Snakemake's benchmark files."""

from pathlib import Path

from instruction_selection.core import files
from instruction_selection.experiment import machines
from instruction_selection.experiment.settings import Settings


def build(folder: str | Path, settings: Settings) -> list[dict]:
    """One row per rule that ran, the costliest first.

    Keys: `rule`, `jobs`, `minutes` of all jobs together, `longest` (minutes of one), `memory_mb` (the most that one
    used; None if it was too short to be looked at), `gpu_hours`, `cpu_hours` (of jobs without GPU).
    """
    rows = []
    for path in sorted(Path(folder).iterdir()):
        found = [_read(file) for file in ([path] if path.is_file() else sorted(path.rglob("*.tsv")))]
        rule = path.stem if path.is_file() else path.name
        gpus, threads = machines.devices(rule, settings)
        seconds = [time for time, _ in found]
        memory = [size for _, size in found if size is not None]
        rows.append(
            {
                "rule": rule,
                "jobs": len(found),
                "minutes": sum(seconds) / 60,
                "longest": max(seconds) / 60,
                "memory_mb": max(memory, default=None),
                "gpu_hours": sum(seconds) * gpus / 3600,
                "cpu_hours": 0 if gpus else sum(seconds) * threads / 3600,
            }
        )
    return sorted(rows, key=lambda row: -row["minutes"])


def _read(path: Path) -> tuple[float, float | None]:
    """(seconds, largest memory in MB)."""
    row = files.read_benchmark(path)
    try:
        return float(row["s"]), float(row["max_rss"])
    except ValueError:  # "NA" or "-" for what was over too soon
        return float(row["s"]), None
