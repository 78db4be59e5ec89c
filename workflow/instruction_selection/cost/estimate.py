"""What an experiment will cost, as text, without running anything: `snakemake estimate --config experiment=NAME`."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from instruction_selection.core.entry_names import parts
from instruction_selection.cost import duration, jobs, measured, memory, prices, schedule
from instruction_selection.cost.duration import Range, UnitCost
from instruction_selection.cost.jobs import Job
from instruction_selection.cost.measured import Measurements
from instruction_selection.cost.prices import Price
from instruction_selection.cost.schedule import Run
from instruction_selection.experiment import machines
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.plan import Plan
from instruction_selection.experiment.training import Training

#: Entries listed among what can be cut.
CUTS_SHOWN = 10
#: Multiples of the GPUs of the largest job for which the wall time is given, where their number is not.
GPU_MULTIPLES = (1, 2, 4, 8, 16)
SECONDS_PER_HOUR = 3600
ZERO = Range(0, 0, 0)


@dataclasses.dataclass(frozen=True)
class Timed:
    """A job, its GPUs and threads, the seconds from its submission to its end, and the unit cost that gives them."""

    job: Job
    gpus: int
    threads: int
    seconds: Range
    unit_cost: UnitCost

    @property
    def hours(self) -> Range:
        """GPU-hours, or CPU-hours of a job without a GPU."""
        return self.seconds.times((self.gpus or self.threads) / SECONDS_PER_HOUR)


def timed(experiment: Experiment, measurements: Measurements, cores: int | None = None) -> list[Timed]:
    """Every job of an experiment; with `cores`, none has more threads."""
    found = []
    for job in jobs.plan(experiment):
        gpus, threads = jobs.devices(experiment, job.rule, dict(job.wildcards))
        threads = min(threads, cores or threads)
        unit_cost = measurements.unit_cost(job, gpus > 0)
        seconds = unit_cost.seconds(job, machines.workers(job.rule, gpus, threads)) + prices.DISPATCH_SECONDS
        found.append(Timed(job, gpus, threads, seconds, unit_cost))
    return found


def wall_seconds(rows: Sequence[Timed], cores: int | None, gpus: int | None) -> Range:
    """Of all jobs on `cores` and `gpus` (None: without limit)."""

    def end(name: str) -> float:
        runs = [Run(row.job, row.gpus, row.threads, getattr(row.seconds, name)) for row in rows]
        return schedule.wall_seconds(runs, cores, gpus)

    return Range(end("low"), end("typical"), end("high"))


def storage(experiment: Experiment) -> dict[str, Range]:
    """Bytes of what takes most room, by name. Hidden states, pools and samples are left out."""
    settings, adapters = experiment.settings, ZERO
    sizes: defaultdict[str, float] = defaultdict(float)
    for job in jobs.plan(experiment):
        wildcards = dict(job.wildcards)
        if job.rule == "pool_gradients":
            rows = jobs.rows(experiment, wildcards) / settings.gradients.shards_of(wildcards["pool"])
            numbers = settings.gradients.projection.dimension * len(settings.gradients.pool_kinds)
            sizes["gradient stores"] += rows * numbers * prices.STORE_BYTES_PER_NUMBER.typical
        elif job.stage == "training" and job.parameters:
            # The warm-up leaves both moments of its optimizer beside each checkpoint.
            copies = 3 * settings.warmup.checkpoints if job.rule == "warmup" else 1
            adapters += _trained_bytes(
                experiment.training["warmup" if job.rule == "warmup" else "finetune"], job.parameters
            ).times(copies)
    for model in experiment.models.values():
        from_hub = model.source.kind == "hub"
        stored = prices.STORED_BYTES_PER_PARAMETER if from_hub else prices.TRAINED_BYTES_PER_NUMBER
        sizes["models"] += model.parameters * stored.typical
    exact = {name: Range(size, size, size) for name, size in sizes.items()}
    everything = {**exact, "adapters": adapters}
    return dict(sorted(everything.items(), key=lambda item: -item[1].typical))


def _trained_bytes(training: Training, parameters: int) -> Range:
    """Bytes of what a training leaves: an adapter, or the whole model."""
    size = prices.TRAINED_BYTES_PER_NUMBER.typical
    if training.finetuning_type == "full":
        return Range(*[size * parameters] * 3)
    return (ZERO + prices.ADAPTER_NUMBERS).times(size * training.lora_rank * parameters ** (2 / 3))


def without(experiment: Experiment) -> Iterator[tuple[str, Experiment]]:
    """(what is left out, the experiment without it) for everything of which there are several."""
    settings = experiment.settings
    for key in ("models", "pools", "targets", "methods", "ratios"):
        entries = list(getattr(settings, key))
        for entry in entries if len(entries) > 1 else ():
            plans = {name: _smaller(plan, key, entry) for name, plan in experiment.tables.items()}
            kept = {name: plan for name, plan in plans.items() if getattr(plan, key)}
            yield f"{key.removesuffix('s')} {entry}", experiment.model_copy(update={"tables": kept})
    for seed in settings.seeds if len(settings.seeds) > 1 else ():
        fewer = {name: _less(seeds, seed) or seeds for name, seeds in settings.seeds_of.items()}
        changed = settings.model_copy(update={"seeds": _less(settings.seeds, seed), "seeds_of": fewer})
        yield f"seed {seed}", experiment.model_copy(update={"settings": changed})
    if settings.warmup.checkpoints > 1:
        warmup = settings.warmup.model_copy(update={"checkpoints": 1})
        changed = settings.model_copy(update={"warmup": warmup})
        yield "all checkpoints but the last", experiment.model_copy(update={"settings": changed})


def _smaller(plan: Plan, key: str, entry: object) -> Plan:
    """A table without an entry, and without the joint targets that it is a part of."""
    entries = getattr(plan, key)
    if key == "targets":
        return plan.model_copy(update={key: tuple(target for target in entries if entry not in parts(target))})
    return plan.model_copy(update={key: _less(entries, entry)})


def _less(entries: tuple, entry: object) -> tuple:
    return tuple(other for other in entries if other != entry)


def text(
    experiment: Experiment,
    results: str | Path,
    cores: int | None = None,
    gpus: int | None = None,
    predicted_memory: str | Path | None = None,
) -> str:
    """The estimate for people, with the wall time on `cores` and `gpus`; `results` has the finished runs.

    `predicted_memory` is what `scripts/predict_memory.py` wrote.

    Without `gpus`, an experiment that wants some is assumed to run on a cluster: the wall time is given for several
    numbers of GPUs, and cores do not limit it.
    """
    if gpus is None and experiment.settings.gpus.by_stage():
        cores = None
    measurements, unreadable = measured.read(results)
    rows = timed(experiment, measurements, cores)
    blocks = [
        _jobs(rows),
        *_tables(experiment, measurements, cores),
        _unit_costs(rows, unreadable),
        *([memory.text(experiment, predicted_memory)] if predicted_memory else []),
        _storage(experiment),
        _wall(rows, cores, gpus),
        _cuts(experiment, measurements, cores, rows),
    ]
    return f"Experiment {experiment.name}, estimated and not run\n\n" + "\n\n".join(blocks) + "\n"


def _hours(rows: Sequence[Timed]) -> tuple[Range, Range]:
    """(GPU-hours, CPU-hours of jobs without GPU)."""
    on_gpus = sum((row.hours for row in rows if row.gpus), ZERO)
    return on_gpus, sum((row.hours for row in rows if not row.gpus), ZERO)


def _line(label: str, *cells: str) -> str:
    first, *others = cells
    return f"  {label:30}{first:>10}" + "".join(f"{cell:>22}" for cell in others)


def _span(found: Range, form: str) -> str:
    low, high = format(found.low, form), format(found.high, form)
    return low if low == high else f"{low} to {high}"


def _price(price: Price) -> str:
    def number(value: float) -> str:
        if value >= 1e6:
            return f"{value:.1e}".replace("e+", "e")
        return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"

    return f"{number(price.low)} to {number(price.high)} {price.unit}"


def _jobs(rows: Sequence[Timed]) -> str:
    by_rule: dict[str, list[Timed]] = {}
    order = list(machines.STAGE_OF_RULE)
    for row in sorted(rows, key=lambda row: order.index(row.job.rule)):
        by_rule.setdefault(row.job.rule, []).append(row)
    lines = [_line("jobs (others take seconds)", "number", "GPU-hours", "CPU-hours")]
    for rule, members in [*by_rule.items(), ("all", list(rows))]:
        lines.append(_line(rule, f"{len(members):,}", *(_span(hours, ",.2f") for hours in _hours(members))))
    return "\n".join(lines)


def _tables(experiment: Experiment, measurements: Measurements, cores: int | None) -> list[str]:
    """What each table of `config/tables` needs, if an experiment has several: the paper's own apart from controls."""
    names = experiment.settings.tables
    if len(names) < 2:
        return []
    lines = [_line("tables (each with all its jobs)", "finetune", "evaluate", "GPU-hours", "CPU-hours")]
    for name in names:
        alone = experiment.model_copy(update={"tables": {name: experiment.tables[name]}})
        rows = timed(alone, measurements, cores)
        counts = Counter(row.job.rule for row in rows)
        hours = (_span(each, ",.2f") for each in _hours(rows))
        lines.append(
            _line(name, str(counts["finetune"]), str(counts["evaluate"] + counts["evaluate_with_vllm"]), *hours)
        )
    return ["\n".join(lines)]


def _unit_costs(rows: Sequence[Timed], unreadable: list[str]) -> str:
    lines = ["Unit costs: seconds to start a job, and work per second of a GPU or thread"]
    used = Counter((row.job.stage, row.gpus > 0, row.unit_cost) for row in rows)
    order = list(prices.WORK_UNIT)
    for (stage, on_gpu, cost), number in sorted(used.items(), key=lambda item: order.index(item[0][0])):
        default = duration.default_cost(stage, on_gpu)
        lines.append(f"  {stage}, {number} job{'s'[: number > 1]}")
        for label, price, listed in (("start", cost.start, default.start), ("rate", cost.rate, default.rate)):
            source = f"default, {price.source}" if price == listed else price.source
            lines += [f"    {label:6}{_price(price)}", f"          {source}"]
    if unreadable:
        lines.append(f"  Not used, because another version made them: {', '.join(unreadable)}.")
    return "\n".join(lines)


def _storage(experiment: Experiment) -> str:
    sizes = storage(experiment).items()
    lines = ["Storage"] + [f"  {name:30}{_span(size.times(1e-9), ',.1f'):>20} GB" for name, size in sizes]
    return "\n".join(lines)


def _wall(rows: Sequence[Timed], cores: int | None, gpus: int | None) -> str:
    wanted = max((row.gpus for row in rows), default=0)
    if gpus is not None or not wanted:
        choices = [(cores, gpus)]
    else:
        choices = [(cores, wanted * multiple) for multiple in GPU_MULTIPLES]
    lines = ["Wall time, without waiting in queues and for the network"]
    for some_cores, some_gpus in choices:
        counted = ((some_cores, "core"), (some_gpus, "GPU"))
        given = [f"{count} {name}{'s'[: count > 1]}" for count, name in counted if count]
        label = " and ".join(given) or "as many cores as there is use for"
        lines.append(f"  {label:30}{_duration(wall_seconds(rows, some_cores, some_gpus)):>22}")
    return "\n".join(lines)


def _duration(seconds: Range) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds.typical >= 2 * size:
            return f"{_span(seconds.times(1 / size), '.1f')} {unit}"
    return f"{_span(seconds, '.0f')} seconds"


def _cuts(experiment: Experiment, measurements: Measurements, cores: int | None, rows: Sequence[Timed]) -> str:
    totals = _hours(rows)
    # GPU-hours are the scarce ones where there are any.
    place, unit = (0, "GPU-hours") if totals[0].typical else (1, "CPU-hours")
    total, saved = totals[place], []
    for label, smaller in without(experiment):
        left = _hours(timed(smaller, measurements, cores))[place]
        saved.append((Range(total.low - left.low, total.typical - left.typical, total.high - left.high), label))
    lines = [f"What can be cut first: {unit} saved, and their share, without ..."]
    for hours, label in sorted(saved, key=lambda entry: -entry[0].typical)[:CUTS_SHOWN]:
        lines.append(_line(label, f"{hours.typical / total.typical:.0%}", _span(hours, ",.2f")))
    return "\n".join(lines)
