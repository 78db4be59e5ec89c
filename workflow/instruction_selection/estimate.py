"""What an experiment will cost, without running anything: `snakemake estimate --config experiment=NAME`."""

import dataclasses
import heapq
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from instruction_selection import costs, grid, jobs
from instruction_selection.config import Experiment
from instruction_selection.costs import Cost
from instruction_selection.jobs import Job

#: Seconds that Snakemake takes to start a job. Measured in the demo.
DISPATCH = 3
#: Numbers of an adapter, per rank and parameter of the model to the power of 2/3: 0.44 for SmolLM2-135M and 0.21 for
#: Llama-3.1-8B with q, k, v and o, counted.
ADAPTER = 0.3
#: Items named among what can be cut.
NAMED = 10


@dataclasses.dataclass(frozen=True)
class Timed:
    """A job, its GPUs and threads, and the seconds that it takes."""

    job: Job
    gpus: int
    threads: int
    seconds: float

    @property
    def hours(self) -> float:
        """GPU-hours, or CPU-hours of a job without GPU."""
        return self.seconds * (self.gpus or self.threads) / 3600


def timed(experiment: Experiment, unit_costs: dict[str, Cost], cores: int | None = None) -> list[Timed]:
    """Every job; with `cores`, none has more threads."""
    rows = []
    for job in jobs.of(experiment):
        gpus, threads = costs.devices(job.rule, experiment.settings)
        threads = min(threads, cores or threads)
        rows.append(Timed(job, gpus, threads, DISPATCH + unit_costs[job.kind].seconds(job, gpus or threads)))
    return rows


def wall_seconds(rows: list[Timed], cores: int | None, gpus: int | None) -> float:
    """Of all jobs on `cores` and `gpus` (None: as many as there is use for), each started as soon as it can be.

    Longer jobs go first. A job that wants more GPUs than there are gets them all, and takes as much longer.
    """
    waiting = {row.job.key: len(row.job.after) for row in rows}
    followers = {}
    for row in rows:
        for key in row.job.after:
            followers.setdefault(key, []).append(row)
    ready = sorted((row for row in rows if not row.job.after), key=lambda row: -row.seconds)
    free = [float("inf") if amount is None else amount for amount in (cores, gpus)]
    limits, running, now, order = tuple(free), [], 0.0, 0
    while ready or running:
        held = []
        for row in ready:
            need = (0, min(row.gpus, limits[1])) if row.gpus else (min(row.threads, limits[0]), 0)
            if need[0] <= free[0] and need[1] <= free[1]:
                free = [free[0] - need[0], free[1] - need[1]]
                longer = row.gpus / need[1] if row.gpus else 1
                order += 1
                heapq.heappush(running, (now + row.seconds * longer, order, row, need))
            else:
                held.append(row)
        now, _, row, need = heapq.heappop(running)
        free = [free[0] + need[0], free[1] + need[1]]
        for follower in followers.get(row.job.key, ()):
            waiting[follower.job.key] -= 1
            if not waiting[follower.job.key]:
                held.append(follower)
        ready = sorted(held, key=lambda row: -row.seconds)
    return now


def storage(experiment: Experiment) -> dict[str, float]:
    """Bytes of what takes most room. Hidden states, pools and samples are left out."""
    settings, counts = experiment.settings, Counter()
    for job in jobs.of(experiment):
        names = dict(job.wildcards)
        if job.rule == "pool_gradients":
            rows = settings["pools"][names["pool"]]["rows"] / grid.shards(experiment, names["pool"])
            gradients = settings["gradients"]
            counts["gradient stores"] += 2 * rows * gradients["projection"]["dimension"] * len(gradients["pool_kinds"])
        elif job.kind == "training":
            trained = experiment.training[job.rule]
            size = trained.get("lora_rank", 0) * ADAPTER * job.parameters ** (2 / 3) or job.parameters
            # The warm-up's adapters with both moments.
            copies = 3 * settings["warmup"]["checkpoints"] if job.rule == "warmup" else 1
            counts["adapters"] += 4 * size * copies
    for model in experiment.models.values():
        counts["models"] += model["parameters"] * (2 if model["source"]["kind"] == "hub" else 4)
    return dict(counts.most_common())


def without(experiment: Experiment) -> Iterator[tuple[str, Experiment]]:
    """(what is left out, the experiment without it) for everything of which there are several."""
    for key in ("models", "pools", "targets", "methods", "ratios"):
        entries = list(experiment.settings[key])
        for entry in entries if len(entries) > 1 else ():
            tables = {name: {**plan, key: _less(plan[key], entry, key)} for name, plan in experiment.tables.items()}
            kept = {name: plan for name, plan in tables.items() if plan[key]}
            yield f"{key.removesuffix('s')} {entry}", dataclasses.replace(experiment, tables=kept)
    settings = experiment.settings
    for seed in settings["seeds"] if len(settings["seeds"]) > 1 else ():
        fewer = {name: _less(seeds, seed, "seeds") or seeds for name, seeds in settings["seeds_of"].items()}
        changed = {**settings, "seeds": _less(settings["seeds"], seed, "seeds"), "seeds_of": fewer}
        yield f"seed {seed}", dataclasses.replace(experiment, settings=changed)
    if settings["warmup"]["checkpoints"] > 1:
        changed = {**settings, "warmup": {**settings["warmup"], "checkpoints": 1}}
        yield "all checkpoints but the last", dataclasses.replace(experiment, settings=changed)


def _less(entries: list, entry: object, key: str) -> list:
    return [other for other in entries if entry not in (grid.parts(other) if key == "targets" else [other])]


def text(experiment: Experiment, results: str | Path, cores: int | None = None, gpus: int | None = None) -> str:
    """All of it, for people, with the wall time on `cores` and `gpus`.

    Without `gpus`, an experiment that wants them is taken for one of a cluster: the wall time is told for several
    numbers of them, and cores do not count.
    """
    if gpus is None and any(experiment.settings["gpus"].values()):
        cores = None
    finished, unreadable = costs.runs(results)
    unit_costs = costs.of(experiment, finished, results)
    rows = timed(experiment, unit_costs, cores)
    blocks = [
        _jobs(rows),
        *_tables(experiment, unit_costs, cores),
        _unit_costs(unit_costs, unreadable),
        _storage(experiment),
        _wall(rows, cores, gpus),
    ]
    blocks.append(_cuts(experiment, unit_costs, cores, rows))
    return f"Experiment {experiment.name}, estimated and not run\n\n" + "\n\n".join(blocks) + "\n"


def _hours(rows: list[Timed]) -> tuple[float, float]:
    """(GPU-hours, CPU-hours of jobs without GPU)."""
    return sum(row.hours for row in rows if row.gpus), sum(row.hours for row in rows if not row.gpus)


def _line(label: str, *cells: str) -> str:
    return f"  {label:30}" + "".join(f"{cell:>14}" for cell in cells)


def _jobs(rows: list[Timed]) -> str:
    by_rule = {}
    for row in sorted(rows, key=lambda row: list(jobs.KINDS).index(row.job.rule)):
        by_rule.setdefault(row.job.rule, []).append(row)
    lines = [_line("jobs (others take seconds)", "number", "GPU-hours", "CPU-hours")]
    for rule, members in [*by_rule.items(), ("all", rows)]:
        lines.append(_line(rule, str(len(members)), *(f"{hours:,.2f}" for hours in _hours(members))))
    return "\n".join(lines)


def _tables(experiment: Experiment, unit_costs: dict[str, Cost], cores: int | None) -> list[str]:
    """What each table of `config/tables` needs, if an experiment has several: the paper's own apart from controls."""
    names = experiment.settings["tables"]
    if len(names) < 2:
        return []
    lines = [
        _line("tables (jobs shared by several", "finetune", "evaluate", "GPU-hours", "CPU-hours"),
        "  count in each)",
    ]
    for name in names:
        alone = dataclasses.replace(experiment, tables={name: experiment.tables[name]})
        rows = timed(alone, unit_costs, cores)
        counts = Counter(row.job.rule for row in rows)
        hours = (f"{each:,.2f}" for each in _hours(rows))
        lines.append(_line(name, str(counts["finetune"]), str(counts["evaluate"]), *hours))
    return ["\n".join(lines)]


def _unit_costs(unit_costs: dict[str, Cost], unreadable: list[str]) -> str:
    lines = ["Unit costs: seconds to start, and work per second of a GPU or thread"]
    for kind, cost in sorted(unit_costs.items(), key=lambda item: list(jobs.UNITS).index(item[0])):
        speed = f"{cost.speed:.2g} {jobs.UNITS[kind]}"
        lines.append(f"  {kind:12}{cost.start:6.0f} s {speed:>30}  ({cost.source})")
    if unreadable:
        lines.append(f"  Not used, because another version made them: {', '.join(unreadable)}.")
    return "\n".join(lines)


def _storage(experiment: Experiment) -> str:
    sizes = storage(experiment)
    lines = ["Storage"] + [_line(name, f"{size / 1e9:,.1f} GB") for name, size in sizes.items()]
    return "\n".join(lines)


def _wall(rows: list[Timed], cores: int | None, gpus: int | None) -> str:
    wanted = max((row.gpus for row in rows), default=0)
    if gpus is not None or not wanted:
        choices = [(cores, gpus)]
    else:
        choices = [(cores, wanted * factor) for factor in (1, 2, 4, 8, 16)]
    lines = ["Wall time, without waiting in queues and for the network"]
    for some_cores, some_gpus in choices:
        counted = ((some_cores, "core"), (some_gpus, "GPU"))
        given = [f"{count} {name}{'s'[: count > 1]}" for count, name in counted if count]
        label = " and ".join(given) or "as many cores as there is use for"
        lines.append(_line(label, _duration(wall_seconds(rows, some_cores, some_gpus))))
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


def _cuts(experiment: Experiment, unit_costs: dict[str, Cost], cores: int | None, rows: list[Timed]) -> str:
    totals = _hours(rows)
    # GPU-hours are what is scarce, where there are any.
    place, unit = (0, "GPU-hours") if totals[0] else (1, "CPU-hours")
    saved = [
        (totals[place] - _hours(timed(smaller, unit_costs, cores))[place], label)
        for label, smaller in without(experiment)
    ]
    lines = [f"What can be cut first: {unit} that are saved without ..."]
    for hours, label in sorted(saved, reverse=True)[:NAMED]:
        lines.append(_line(label, f"{hours:,.2f}", f"{hours / totals[place]:.0%}"))
    return "\n".join(lines)
