"""Cells of a small table, as the workflow hands them to `results.collect`."""

from instruction_selection.core.entry_names import ANY
from instruction_selection.tables import results

SCORE = {"name": "acc", "label": "Accuracy (%)", "scale": 100, "higher_is_better": True}
LOSS = {"name": "loss", "label": "Loss", "scale": 1, "higher_is_better": False}
BENCHMARK = {"label": "Logic", "summary": "Puzzles.", "tasks": ["aiw", "syllogism"], "metrics": [SCORE, LOSS]}
METHODS = {
    "base": {"label": "Untuned model", "ratio": 0, "params": {}},
    "full": {"label": "All data", "ratio": 1, "params": {}},
    "less": {"label": "LESS", "params": {"share": 0.5}, "checkpoints": "all", "published_checkpoints": 4},
    "random": {"label": "Random", "params": {"share": 0.1}},
}
METHODS = {
    name: {"ratio": None, "checkpoints": "last", "published_checkpoints": None, **method}
    for name, method in METHODS.items()
}
MODELS = {"tiny": {"label": "Tiny"}, "big": {"label": "Big"}}
POOLS = {name: {"rows": 100, "tasks": {"aiw": 10, "syllogism": 20, "gcd": 70}} for name in ("p", "q")}
PLAN = {
    "kind": "target",
    "label": "Logic",
    "caption": "Puzzles.",
    "targets": ["logic"],
    "methods": list(METHODS),
    "baseline": None,
    "relative_to": None,
    "parameter": None,
}


def cell(method="less", seed=0, acc=0.5, loss=2.0, stderr=0.1, tasks=None, values=None, **other):
    """`values` are the evaluation's results by metric and row; the default ones are no shares."""
    tasks = {"aiw": 1, "gcd": 3} if tasks is None else tasks
    untuned = method == "base"
    benchmark = other.get("benchmark", "logic")
    return {
        "model": "tiny",
        "pool": ANY if untuned else "p",
        "target": benchmark,
        "shown_for": benchmark,
        "benchmark": benchmark,
        "method": method,
        "ratio": {"base": "0", "full": "1"}.get(method, "0.1"),
        "seed": str(seed),
        "evaluation": {
            "benchmark": benchmark,
            "samples": 64,
            "metrics": {"acc": {"value": acc, "stderr": stderr}, "loss": {"value": loss, "stderr": stderr}},
        },
        "results": values or {name: dict.fromkeys("abcd", 0.5) for name in ("acc", "loss")},
        "selection": None if untuned else {"selected": sum(tasks.values()), "tasks": tasks},
        **other,
    }


def collect(cells, benchmarks=None, published=None, **plan):
    benchmarks = benchmarks or {name: BENCHMARK for name in dict.fromkeys(entry["benchmark"] for entry in cells)}
    return results.collect(cells, {**PLAN, **plan}, benchmarks, METHODS, MODELS, POOLS, published or {})
