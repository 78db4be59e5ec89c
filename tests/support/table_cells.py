"""Cells of a small table, as `workflow/scripts/table.py` hands them to `results.collect`."""

from instruction_selection.core.entry_names import ANY
from instruction_selection.experiment.benchmark import Metric
from instruction_selection.experiment.grid import Cell
from instruction_selection.experiment.plan import Plan
from instruction_selection.tables import results
from instruction_selection.tables.cells import Evaluated, EvaluatedCell, PoolSummary, SelectionSummary
from instruction_selection.tables.spec import ShownBenchmark, ShownMethod, ShownModel, TableSpec

SCORE = Metric(name="acc", task="answer", label="Accuracy (%)", scale=100)
LOSS = Metric(name="loss", task="answer", label="Loss", higher_is_better=False)
BENCHMARK = ShownBenchmark("Logic", (SCORE, LOSS), tasks=("aiw", "syllogism"))
METHODS = {
    "base": ShownMethod("Untuned model", ratio=0),
    "full": ShownMethod("All data", ratio=1),
    "less": ShownMethod("LESS", params={"share": 0.5}, checkpoints="all", published_checkpoints=4),
    "random": ShownMethod("Random", params={"share": 0.1}),
}
MODELS = {"tiny": ShownModel("Tiny"), "big": ShownModel("Big")}
POOLS = {name: PoolSummary(100, {"aiw": 10, "syllogism": 20, "gcd": 70}) for name in ("p", "q")}


def spec(benchmarks=None, entries=METHODS, **plan):
    """Of a table of the target `logic`, unless `plan` says otherwise; `entries` are methods by name."""
    given = {
        "kind": "target",
        "label": "Logic",
        "caption": "Puzzles.",
        "targets": ("logic",),
        "methods": tuple(METHODS),
    }
    return TableSpec(Plan(**given | plan), benchmarks or {"logic": BENCHMARK}, entries, MODELS)


def cell(
    method="less",
    seed=0,
    *,
    model="tiny",
    pool="p",
    ratio="0.1",
    benchmark="logic",
    target=None,
    acc=0.5,
    loss=2.0,
    stderr=0.1,
    tasks=None,
    checkpoints=None,
    values=None,
    rows=64,
):
    """`values` are the evaluation's results by metric and row; the default ones are no shares."""
    tasks = {"aiw": 1, "gcd": 3} if tasks is None else tasks
    untuned = method == "base"
    return EvaluatedCell(
        cell=Cell(
            model=model,
            pool=ANY if untuned else pool,
            target=benchmark,
            method=method,
            ratio={"base": "0", "full": "1"}.get(method, ratio),
            seed=seed,
        ),
        target=target or benchmark,
        benchmark=benchmark,
        rows=rows,
        metrics={"acc": Evaluated(acc, stderr), "loss": Evaluated(loss, stderr)},
        values=values or {name: dict.fromkeys("abcd", 0.5) for name in ("acc", "loss")},
        selection=None if untuned else SelectionSummary(sum(tasks.values()), tasks, checkpoints),
    )


def collect(cells, benchmarks=None, published=None, **plan):
    benchmarks = benchmarks or {each.benchmark: BENCHMARK for each in cells}
    return results.collect(cells, spec(benchmarks, **plan), POOLS, published or {})
