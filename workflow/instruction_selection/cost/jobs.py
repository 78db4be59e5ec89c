"""The jobs of an experiment that cost something: their work, and which they depend on.

What the work of a job is follows from its rule and wildcards alone, so a rule's time limit and the estimate use the
same function. Left out are jobs of seconds (sampling, task files, gathering, tables) and a method's own rule.
Snakemake's plan is the truth; tests/workflow/test_estimate.py compares jobs and dependencies with it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from instruction_selection.core.entry_names import parts
from instruction_selection.core.features import FEATURES, Feature
from instruction_selection.core.ratios import selected_count
from instruction_selection.cost import prices
from instruction_selection.experiment import grid, machines, sizes
from instruction_selection.experiment.experiment import Experiment, Stage

Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Job:
    """`wildcards` are (name, value) in the order of the rule's log."""

    rule: str
    wildcards: tuple[tuple[str, str], ...]
    #: In `prices.WORK_UNIT` of the job's stage.
    work: float
    #: Of the model that it runs; None if it runs none.
    parameters: int | None
    #: Keys of the jobs that it depends on.
    after: frozenset[Key] = frozenset()

    @property
    def key(self) -> Key:
        return self.rule, self.wildcards

    @property
    def stage(self) -> str:
        return machines.STAGE_OF_RULE[self.rule]


# ---- Work of a rule's job, by its wildcards --------------------------------------------------------------------------


def job(experiment: Experiment, rule: str, wildcards: dict[str, str], after: Iterable[Key] = ()) -> Job:
    """A job of one of `machines.STAGE_OF_RULE`, with its work."""
    named = tuple((name, str(value)) for name, value in wildcards.items())
    size = parameters(experiment, wildcards) if rule in RUNS_MODEL else None
    return Job(rule, named, WORK[rule](experiment, dict(named)) * (size or 1), size, frozenset(after))


def devices(experiment: Experiment, rule: str, wildcards: dict[str, str]) -> tuple[int, int]:
    """(GPUs, threads) of a job."""
    return machines.devices(rule, experiment.settings, experiment.methods.get(wildcards.get("method", "")))


def parameters(experiment: Experiment, wildcards: dict[str, str]) -> int:
    """Of the model that a job runs."""
    return experiment.models[wildcards["model"]].parameters


def rows(experiment: Experiment, wildcards: dict[str, str]) -> int:
    """Rows of the pool or, for a job without one, of the target's validation set."""
    if "pool" in wildcards:
        return sizes.pool_rows(experiment, wildcards["pool"])
    return sizes.validation_rows(experiment, wildcards["target"])


def feature_numbers(experiment: Experiment, method: str) -> float:
    """Numbers per pool row in the features of one checkpoint that a method needs."""
    features = (FEATURES[need] for need in experiment.methods[method].needs)
    return sum(_numbers(experiment, feature) for feature in features if feature.side == "pool")


def _numbers(experiment: Experiment, feature: Feature) -> int:
    dimension = experiment.settings.gradients.projection.dimension
    return dimension if feature.numbers is None else feature.numbers


def _tokens(experiment: Experiment, wildcards: dict[str, str]) -> int:
    """Tokens per row that are not cut off, of the target if the job has one and else of the pool."""
    target = wildcards.get("target")
    entry = experiment.benchmarks[target] if target else experiment.pools[wildcards["pool"]]
    return min(entry.tokens, experiment.settings.cutoff_len)


def _chosen(experiment: Experiment, wildcards: dict[str, str]) -> int:
    return selected_count(float(wildcards["ratio"]), rows(experiment, wildcards))


def _epochs(experiment: Experiment, stage: Stage) -> float:
    return experiment.training[stage].num_train_epochs


def _warmup_tokens(experiment: Experiment, wildcards: dict[str, str]) -> float:
    trained = experiment.settings.warmup.rows * _epochs(experiment, "warmup")
    return trained * _tokens(experiment, wildcards)


def _finetune_tokens(experiment: Experiment, wildcards: dict[str, str]) -> float:
    # Its target is what was selected for; it trains on rows of the pool.
    trained = _chosen(experiment, wildcards) * _epochs(experiment, "finetune")
    return trained * _tokens(experiment, {"pool": wildcards["pool"]})


def _pool_gradient_tokens(experiment: Experiment, wildcards: dict[str, str]) -> float:
    shards = int(wildcards.get("shards", experiment.settings.gradients.shards_of(wildcards["pool"])))
    return rows(experiment, wildcards) / shards * _tokens(experiment, wildcards)


def _validation_gradient_tokens(experiment: Experiment, wildcards: dict[str, str]) -> float:
    # Its pool is that of the warm-up.
    target = {"target": wildcards["target"]}
    return rows(experiment, target) * _tokens(experiment, target)


def _forward_tokens(experiment: Experiment, wildcards: dict[str, str]) -> float:
    return prices.FORWARD_SHARE * rows(experiment, wildcards) * _tokens(experiment, wildcards)


def _selection_bytes(experiment: Experiment, wildcards: dict[str, str]) -> float:
    method, pool_rows = experiment.methods[wildcards["method"]], rows(experiment, wildcards)
    numbers = feature_numbers(experiment, wildcards["method"])
    if method.checkpoints == "all":
        needed = (FEATURES[need] for need in method.needs)
        per_checkpoint = sum(_numbers(experiment, entry) for entry in needed if _of_pool_checkpoint(entry))
        numbers += (experiment.settings.warmup.checkpoints - 1) * per_checkpoint
    on_gpu, _ = devices(experiment, "select_rows", wildcards)
    reading = prices.STORE_BYTES_PER_NUMBER.typical
    passes = 0.0
    if method.reads == "per chosen row":
        chosen = _chosen(experiment, wildcards) * prices.PASSES_PER_SELECTED_ROW.typical
        passes = chosen * prices.COPY_BYTES_PER_NUMBER.typical
    if on_gpu:
        # The host reads the file meanwhile, and the GPU's time is paid for.
        reads = prices.WALK_READS.typical if passes else 1
        reading = reads * reading * prices.GPU_BYTES_PER_BYTE_READ.typical + passes
    else:
        reading = max(reading, passes)
    per_row = numbers * reading
    if "pool_text" in method.needs:
        # One thread reads it, and the time of all is paid for.
        per_row += prices.FEATURE_BYTES_PER_TEXT.typical * experiment.settings.threads.selection
    return pool_rows * per_row


def _of_pool_checkpoint(feature: Feature) -> bool:
    return feature.side == "pool" and feature.per_checkpoint


def _evaluation_tokens(experiment: Experiment, wildcards: dict[str, str]) -> float:
    name = wildcards["benchmark"]
    benchmark = experiment.benchmarks[name]
    read = benchmark.prompt_tokens or benchmark.tokens
    tokens = read + prices.READ_TOKENS_PER_WRITTEN_TOKEN.typical * benchmark.generated_tokens
    return prices.FORWARD_SHARE * (experiment.settings.targets[name].evaluation_rows or 0) * tokens


def _feature_work(feature: Feature) -> Callable[[Experiment, dict[str, str]], float]:
    """Work of the rule that makes a feature: a pass of the encoder, or passes forward or both ways of the model."""
    if feature.made_by == "encoder":
        return rows
    if not feature.per_checkpoint:
        return lambda experiment, wildcards: feature.passes * _forward_tokens(experiment, wildcards)
    return _pool_gradient_tokens if feature.side == "pool" else _validation_gradient_tokens


#: Work of a job per parameter of its model, or, without a model, its work.
WORK = {
    "warmup": _warmup_tokens,
    "finetune": _finetune_tokens,
    **{feature.rule: _feature_work(feature) for feature in FEATURES.values() if feature.rule},
    "select_rows": _selection_bytes,
    "evaluate": _evaluation_tokens,
    "evaluate_with_vllm": _evaluation_tokens,
}
RUNS_MODEL = {rule for rule in WORK if machines.STAGE_OF_RULE[rule] in ("training", "gradients", "evaluation")}


# ---- All jobs of an experiment ---------------------------------------------------------------------------------------


def plan(experiment: Experiment) -> list[Job]:
    """Every job once, each after all that it depends on."""
    planned = _Plan(experiment)
    for table in experiment.tables.values():
        for score in grid.scores(experiment, table):
            planned.score(score)
    return list(planned.jobs.values())


class _Plan:
    """Jobs asked for so far. Each method adds a job with all that it depends on, and returns the keys to wait for."""

    def __init__(self, experiment: Experiment):
        self._experiment = experiment
        self.jobs: dict[Key, Job] = {}
        # Shared by models and repetitions, with hundreds of jobs behind each.
        self._selections: dict[grid.Cell, set[Key]] = {}

    def score(self, score: grid.Score) -> None:
        """What a table shows; of a target that is not evaluated, the selection."""
        if score.benchmark not in grid.only_selected_for(self._experiment):
            self.evaluation(score)
        elif self._experiment.methods[score.cell.method].trained:
            self._selection(grid.selection_of(self._experiment, score.cell))

    def evaluation(self, score: grid.Score) -> set[Key]:
        cell, experiment = score.cell, self._experiment
        vllm = grid.evaluation_settings(experiment, score.benchmark).backend == "vllm"
        after = self._finetune(cell) if experiment.methods[cell.method].trained else ()
        wildcards = {**cell.wildcards(), "benchmark": score.benchmark}
        return self._add("evaluate_with_vllm" if vllm else "evaluate", wildcards, after)

    def _add(self, rule: str, wildcards: dict, after: Iterable[Key] = ()) -> set[Key]:
        key = rule, tuple((name, str(value)) for name, value in wildcards.items())
        if key not in self.jobs:
            self.jobs[key] = job(self._experiment, rule, wildcards, after)
        return {key}

    def _finetune(self, cell: grid.Cell) -> set[Key]:
        return self._add("finetune", cell.wildcards(), self._selection(grid.selection_of(self._experiment, cell)))

    def _selection(self, cell: grid.Cell) -> set[Key]:
        if cell not in self._selections:
            method = self._experiment.methods[cell.method]
            after = {key for need in method.needs for key in self._feature(FEATURES[need], cell)}
            followed = grid.size_of(self._experiment, cell)
            after |= self._selection(followed) if followed else set()
            self._selections[cell] = self._add("select_rows", cell.wildcards(), after)
        return self._selections[cell]

    def _feature(self, feature: Feature, cell: grid.Cell) -> set[Key]:
        """The jobs that make a feature of a selection's pool or of every part of its target."""
        if feature.rule is None:
            return set()
        added = set()
        names = [cell.pool] if feature.side == "pool" else parts(cell.target)
        for checkpoint in self._checkpoints(cell.method) if feature.per_checkpoint else [None]:
            for name in names:
                for wildcards in self._wildcards(feature, cell, name, checkpoint):
                    after = self._warmup(cell) if feature.per_checkpoint else ()
                    added |= self._add(feature.rule, wildcards, after)
        return added

    def _checkpoints(self, method: str) -> Iterable[int]:
        last = self._experiment.settings.warmup.checkpoints
        return range(1, last + 1) if self._experiment.methods[method].checkpoints == "all" else [last]

    def _wildcards(self, feature: Feature, cell: grid.Cell, name: str, checkpoint: int | None) -> list[dict]:
        """Of the jobs that make a feature of a pool or target `name`: one, or one per shard of a pool's gradients."""
        place = "pool" if feature.side == "pool" else "target"
        if not feature.per_checkpoint:
            on_model = feature.made_by == "model"
            maker = {"model": cell.model} if on_model else {"encoder": self._experiment.settings.encoder}
            return [{**maker, place: name}]
        under = {"model": cell.model, "pool": cell.pool, "checkpoint": checkpoint}
        if place == "target":
            return [{**under, "target": name}]
        return [{**under, "shard": shard} for shard in range(self._experiment.settings.gradients.shards_of(cell.pool))]

    def _warmup(self, cell: grid.Cell) -> set[Key]:
        return self._add("warmup", {"model": cell.model, "pool": cell.pool})
