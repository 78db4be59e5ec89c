"""What each selection chose, for the report."""

from collections import Counter
from collections.abc import Iterable

from instruction_selection.core import files
from instruction_selection.core.entry_names import ANY
from instruction_selection.tables import drawings

#: Rows and tasks that are shown of a selection, and characters of a text.
ROWS, TASKS, TEXT = 3, 8, 300
#: What a walk counts (`walk.algorithm1.describe`).
COUNTS = {
    "selected": "Rows",
    "refused_by_conflict": "Refused by conflict",
    "refused_by_consistency": "Refused by consistency",
    "fallbacks": "Fallbacks",
}


def sections(cells: list[tuple[dict, str, str]], pools: dict[str, str], methods: dict) -> list[dict]:
    """One for each of `cells` (wildcards, path of the chosen rows, path of the summary), in their order.

    `pools` maps names to files of rows, `methods` names to configurations. Drawings are SVG.
    """
    lengths = {name: _lengths(files.read_jsonl(path)) for name, path in pools.items()}
    return [_section(*cell, lengths, methods) for cell in cells]


def _section(cell: dict, rows_path: str, summary_path: str, lengths: dict, methods: dict) -> dict:
    rows, summary = files.read_jsonl(rows_path), files.read_json(summary_path)
    tasks = Counter(summary["tasks"]).most_common()
    told = [f"{task} {count}" for task, count in tasks[:TASKS]]
    if len(tasks) > TASKS:
        told.append(f"and {len(tasks) - TASKS} more")
    drawn = [("Length of responses", drawings.histogram(_lengths(rows), lengths[cell["pool"]]))]
    components = summary["details"].get("components", [])
    # A method with a rule of its own need not tell.
    trace = summary.get("trace", {})
    if trace.get("explained_variance"):
        drawn.append(
            ("Variance that components explain", drawings.variance(trace["explained_variance"], len(components)))
        )
    if trace.get("similarities"):
        drawn.append(("Walk along the first component", drawings.walk(trace["similarities"])))
    shown = [cell[key] for key in ("model", "pool", "target", "ratio") if cell[key] != ANY]
    return {
        "label": f"{methods[cell['method']]['label']} ({', '.join(shown)}, seed {cell['seed']})",
        "chosen": f"{summary['selected']} of {summary['pool_rows']} rows",
        "tasks": ", ".join(told),
        "rows": [{key: _short(row[key]) for key in ("task", "instruction", "response")} for row in rows[:ROWS]],
        "counts": [[entry[key] for key in COUNTS] for entry in components if COUNTS.keys() <= entry.keys()],
        "drawings": drawn,
    }


def _lengths(rows: Iterable[dict]) -> list[int]:
    return [len(row["response"]) for row in rows]


def _short(text: str) -> str:
    return text if len(text) <= TEXT else text[:TEXT] + " …"


def overlap(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    """(what is compared, heat table) for each model, pool, ratio and seed of a `shared_rows` table."""
    # The others do not look at the model, and stand beside every model's.
    of_model = {row["method"] for row in rows if row["model"] != ANY}
    models = dict.fromkeys(row["model"] for row in rows if row["model"] != ANY) or [ANY]
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in ("pool", "ratio", "seed")), []).append(row)
    found = []
    for (pool, ratio, seed), members in groups.items():
        sizes = {row["method"]: int(row["rows"]) for row in members if row["method"] not in of_model}
        for model in models:
            shares = {}
            for row in members:
                pair = row["method"], row["other"]
                if row["model"] == model:
                    shares[pair] = float(row["share"])
                    if row["other"] in sizes:
                        shares[pair[::-1]] = int(row["shared"]) / sizes[row["other"]]
                elif row["model"] == ANY and row["other"] not in of_model:
                    shares[pair] = float(row["share"])
            names = list(dict.fromkeys(name for pair in shares for name in pair))
            label = ", ".join([*([model] if model != ANY else []), pool, ratio, f"seed {seed}"])
            found.append((label, drawings.heat(names, shares)))
    return found
