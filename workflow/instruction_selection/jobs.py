"""Every job of the rules that cost something: what it does, how much of it, and what it waits for.

Left out are the jobs of seconds (sampling, task files, gathering, tables) and methods with a rule of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from instruction_selection import grid
from instruction_selection.config import Experiment, has_own_rule

#: Rules that cost about the same per unit of work, and what `Job.work` counts for them. A parameter-token is a forward
#: and a backward pass of one parameter over one token.
KINDS = {
    "warmup": "training",
    "finetune": "training",
    "pool_gradients": "gradients",
    "validation_gradients": "gradients",
    "pool_hidden_states": "gradients",
    "validation_hidden_states": "gradients",
    "pool_embeddings": "embeddings",
    "validation_embeddings": "embeddings",
    "select_rows": "selection",
    "evaluate": "evaluation",
    "evaluate_with_vllm": "evaluation",
}
UNITS = {
    "training": "parameter-tokens",
    "gradients": "parameter-tokens",
    "embeddings": "rows",
    "selection": "bytes",
    "evaluation": "parameter-tokens",
}
#: Numbers of an embedding and of a row of hidden states: all-MiniLM's and a model's of 8e9 parameters.
EMBEDDING, HIDDEN = 384, 4096
#: Reading a token takes a third of a training's operations. Writing one takes as long as reading so many, in batches of
#: 16 with transformers, because it waits for memory; measured with SmolLM2-135M on a CPU, assumed for a GPU.
READ, WRITTEN = 1 / 3, 6


@dataclass(frozen=True)
class Job:
    """`wildcards` are (name, value) in the order of the rule's log; `work` is in the unit of the rule's kind."""

    rule: str
    wildcards: tuple[tuple[str, str], ...]
    work: float
    #: Of the model that it runs; None for one that runs none.
    parameters: int | None
    #: Jobs that it waits for, by rule and wildcards.
    after: frozenset

    @property
    def key(self) -> tuple:
        return self.rule, self.wildcards

    @property
    def kind(self) -> str:
        return KINDS[self.rule]


def of(experiment: Experiment) -> list[Job]:
    """Each of them once, and none before what it waits for."""
    found = _Jobs(experiment)
    for plan in experiment.tables.values():
        for score in grid.scores(experiment, plan):
            found.evaluation(score)
    return list(found.jobs.values())


class _Jobs:
    """What has been asked for so far. Each method adds a job with all that it needs, and returns its key or keys."""

    def __init__(self, experiment: Experiment):
        self._experiment = experiment
        self._settings = experiment.settings
        self.jobs: dict[tuple, Job] = {}
        # Asked for by every model and repetition that shares them, and with hundreds of jobs behind each.
        self._selections: dict[grid.Cell, set[tuple]] = {}

    def _add(self, rule: str, wildcards: dict, work: float, model: str | None = None, after=()) -> set[tuple]:
        named = tuple((name, str(value)) for name, value in wildcards.items())
        parameters = None if model is None else self._experiment.models[model]["parameters"]
        job = Job(rule, named, work * (parameters or 1), parameters, frozenset(after))
        self.jobs.setdefault(job.key, job)
        return {job.key}

    def evaluation(self, score: grid.Score) -> set[tuple]:
        cell, settings = score.cell, self._settings
        target = settings["targets"][score.benchmark]
        vllm = (target["backend"] or settings["evaluation"]["backend"]) == "vllm"
        benchmark = self._experiment.benchmarks[score.benchmark]
        read = benchmark["prompt_tokens"] or benchmark["tokens"]
        return self._add(
            "evaluate_with_vllm" if vllm else "evaluate",
            {**cell.wildcards(), "benchmark": score.benchmark},
            READ * target["evaluation_rows"] * (read + WRITTEN * benchmark["generated_tokens"]),
            cell.model,
            self._finetune(cell) if grid.trained(self._experiment.methods[cell.method]) else (),
        )

    def _finetune(self, cell: grid.Cell) -> set[tuple]:
        rows = float(cell.ratio) * self._settings["pools"][cell.pool]["rows"]
        selection = grid.selection_of(self._experiment, cell)
        if selection not in self._selections:
            self._selections[selection] = self._selection(selection)
        after = self._selections[selection]
        return self._add("finetune", cell.wildcards(), self._trained(cell.pool, "finetune", rows), cell.model, after)

    def _selection(self, cell: grid.Cell) -> set[tuple]:
        method = self._experiment.methods[cell.method]
        after, width = set(), 0
        for need in method["needs"]:
            jobs, numbers = self._feature(need, cell, method["checkpoints"] == "all")
            after, width = after | jobs, width + numbers
        sized_like = grid.size_of(self._experiment, cell)
        if sized_like:
            after |= self._selection(sized_like)
        if has_own_rule(cell.method):
            return after
        rows = self._settings["pools"][cell.pool]["rows"]
        # A store has two bytes per number; walks pass over copies of one.
        read = max(2.0, float(cell.ratio) * rows) if method["reads"] == "per chosen row" else 2.0
        return self._add("select_rows", cell.wildcards(), rows * width * read, after=after)

    def _feature(self, need: str, cell: grid.Cell, every_checkpoint: bool) -> tuple[set[tuple], int]:
        """Jobs that make what a method needs, and how many numbers of each pool row it is."""
        side, _, feature = need.partition("_")
        names = [cell.pool] if side == "pool" else grid.parts(cell.target)
        if feature.endswith("gradients"):
            last = self._settings["warmup"]["checkpoints"]
            checkpoints = range(1, last + 1) if every_checkpoint else [last]
            make = self._pool_gradients if side == "pool" else self._validation_gradients
            jobs = {job for at in checkpoints for name in names for job in make(cell.model, cell.pool, at, name)}
            width = self._settings["gradients"]["projection"]["dimension"] * len(checkpoints)
        elif feature == "embeddings":
            jobs = {job for name in names for job in self._embeddings(side, name)}
            width = EMBEDDING
        elif feature == "hidden_states":
            jobs = {job for name in names for job in self._hidden_states(side, cell.model, name)}
            width = HIDDEN
        else:
            return set(), 0
        return jobs, width if side == "pool" else 0

    def _pool_gradients(self, model: str, pool: str, checkpoint: int, _: str) -> Iterator[tuple]:
        shards = grid.shards(self._experiment, pool)
        tokens = self._seen(self._experiment.pools[pool]) * self._settings["pools"][pool]["rows"] / shards
        after = self._warmup(model, pool)
        for shard in range(shards):
            wildcards = {"model": model, "pool": pool, "checkpoint": checkpoint, "shard": shard}
            yield from self._add("pool_gradients", wildcards, tokens, model, after)

    def _validation_gradients(self, model: str, pool: str, checkpoint: int, target: str) -> set[tuple]:
        tokens = self._seen(self._experiment.benchmarks[target]) * self._rows("validation", target)
        wildcards = {"model": model, "pool": pool, "checkpoint": checkpoint, "target": target}
        return self._add("validation_gradients", wildcards, tokens, model, self._warmup(model, pool))

    def _warmup(self, model: str, pool: str) -> set[tuple]:
        rows = self._settings["warmup"]["rows"]
        return self._add("warmup", {"model": model, "pool": pool}, self._trained(pool, "warmup", rows), model)

    def _embeddings(self, side: str, name: str) -> set[tuple]:
        place = "pool" if side == "pool" else "target"
        wildcards = {"encoder": self._settings["encoder"], place: name}
        return self._add(f"{side}_embeddings", wildcards, self._rows(side, name))

    def _hidden_states(self, side: str, model: str, name: str) -> set[tuple]:
        place, entries = ("pool", "pools") if side == "pool" else ("target", "benchmarks")
        tokens = self._seen(getattr(self._experiment, entries)[name]) * self._rows(side, name)
        return self._add(f"{side}_hidden_states", {"model": model, place: name}, READ * tokens, model)

    def _rows(self, side: str, name: str) -> int:
        if side == "pool":
            return self._settings["pools"][name]["rows"]
        return self._settings["targets"][name]["validation_rows"]

    def _seen(self, entry: dict) -> int:
        return min(entry["tokens"], self._settings["cutoff_len"])

    def _trained(self, pool: str, stage: str, rows: float) -> float:
        """Tokens that a training on `rows` of a pool goes through."""
        epochs = self._experiment.training[stage].get("num_train_epochs", 3)
        return rows * epochs * self._seen(self._experiment.pools[pool])
