# The experiment, its grid, and the input functions of the rules. It sits in workflow/ so that Snakemake puts this
# folder on the import path of every script, in every environment and on every node.
import functools
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

from instruction_selection import config as configuration
from instruction_selection import grid, provenance
from instruction_selection.errors import InputError
from instruction_selection.layout import Layout


def load_experiment():
    unknown = sorted(set(config) - {"experiment"})
    if unknown:
        raise WorkflowError(
            f"--config: unknown key {unknown[0]!r}; only `experiment` is chosen here."
        )
    return configuration.load("config", str(config["experiment"]))


try:
    EXPERIMENT = load_experiment()
except InputError as error:
    raise WorkflowError(str(error)) from None

SETTINGS = EXPERIMENT.settings
PATHS = Layout(EXPERIMENT.name)
# What a row of the gradient store depends on, and the size of batches; not the number of shards.
GRADIENTS = {
    key: SETTINGS["gradients"][key]
    for key in ("projection", "precision", "batch_tokens")
}
# A grid asks for the same few modules hundreds of times.
source_hash = functools.cache(provenance.source_hash)
TABLE_FORMATS = ("md", "csv", "tex")
FIGURE_FORMATS = ("svg", "png")


def one_of(names, *others):
    return "|".join(re.escape(str(name)) for name in (*names, *others))


WILDCARDS = {
    "model": one_of(EXPERIMENT.models, grid.ANY),
    "pool": one_of(EXPERIMENT.pools, grid.ANY),
    "target": one_of(EXPERIMENT.benchmarks, *grid.targets(EXPERIMENT), grid.ANY),
    "benchmark": one_of(EXPERIMENT.benchmarks),
    "method": one_of(EXPERIMENT.methods),
    "table": one_of(EXPERIMENT.tables),
    "encoder": one_of([SETTINGS["encoder"] or "none"]),
    "ratio": r"\d(\.\d+)?(e-\d+)?",
    "seed": r"\d+",
    "shard": r"\d+",
    "format": one_of(TABLE_FORMATS, *FIGURE_FORMATS),
}


def method_of(wildcards):
    return EXPERIMENT.methods[wildcards.method]


def cell_of(wildcards):
    return grid.Cell(
        **{
            name: wildcards[name]
            for name in ("model", "pool", "target", "method", "ratio")
        },
        seed=int(wildcards.seed),
    )


def feature_files(wildcards):
    """What a method's `needs` are called, and where they are."""
    files = {
        "pool_gradients": PATHS.pool_gradients,
        "pool_sgd_gradients": PATHS.pool_gradients,
        "validation_gradients": PATHS.validation_gradients,
        "pool_embeddings": PATHS.pool_embeddings,
        "validation_embeddings": PATHS.validation_embeddings,
        "pool_hidden_states": PATHS.pool_hidden_states,
        "validation_hidden_states": PATHS.validation_hidden_states,
        "pool_lengths": PATHS.pool,
        "validation_lengths": PATHS.validation,
    }
    names = dict(
        model=wildcards.model,
        pool=wildcards.pool,
        target=wildcards.target,
        encoder=SETTINGS["encoder"],
    )
    return {
        need: [
            files[need].format(**{**names, "target": part})
            for part in grid.parts(
                wildcards.target if need.startswith("validation") else "x"
            )
        ]
        for need in method_of(wildcards)["needs"]
    }


def methods_without_own_rule():
    """Those that `select_rows` selects for."""
    return [name for name in EXPERIMENT.methods if not configuration.has_own_rule(name)]


def selection_inputs(wildcards):
    inputs = feature_files(wildcards)
    if grid.targeted(method_of(wildcards)):
        inputs["validation"] = expand(
            PATHS.validation, target=grid.parts(wildcards.target)
        )
    if {"pool_gradients", "pool_sgd_gradients"} & inputs.keys():
        # The joined store holds no data of its own.
        inputs["shards"] = shard_files(wildcards)
    return inputs


def shard_files(wildcards):
    return expand(
        PATHS.pool_shard,
        model=wildcards.model,
        pool=wildcards.pool,
        shard=range(grid.shards(EXPERIMENT, wildcards.pool)),
    )


def selected_rows(wildcards):
    """The selection that a run trains on; runs share one where it does not depend on model, target or seed."""
    selection = grid.selection_of(EXPERIMENT, cell_of(wildcards))
    return PATHS.selected.format(**selection.wildcards())


def trained_adapter(wildcards):
    return [PATHS.adapter] if grid.trained(method_of(wildcards)) else []


def table_cells(table):
    """For each score of a table: what it is of, and the paths of its evaluation, its samples and its selection's
    summary, which is None for the untuned model."""
    rows = []
    for score in grid.scores(EXPERIMENT, EXPERIMENT.tables[table]):
        names = score.cell.wildcards()
        selection = None
        if grid.trained(EXPERIMENT.methods[score.cell.method]):
            selection = PATHS.selection.format(
                **grid.selection_of(EXPERIMENT, score.cell).wildcards()
            )
        rows.append(
            (
                {**names, "shown_for": score.target, "benchmark": score.benchmark},
                PATHS.evaluation.format(benchmark=score.benchmark, **names),
                PATHS.samples.format(benchmark=score.benchmark, **names),
                selection,
            )
        )
    return rows


def table_inputs(wildcards):
    rows = table_cells(wildcards.table)
    plan = EXPERIMENT.tables[wildcards.table]
    return {
        "evaluations": unique(evaluation for _, evaluation, _, _ in rows),
        "samples": unique(samples for _, _, samples, _ in rows),
        "selections": unique(selection for *_, selection in rows if selection),
        "pools": expand(PATHS.pool_summary, pool=plan["pools"]),
        "overlap": expand(
            PATHS.overlap,
            pool=plan["pools"],
            target=unique(cell["benchmark"] for cell, *_ in rows),
        ),
        "reported": [plan["reported"]] if plan["reported"] else [],
    }


def unique(values):
    return list(dict.fromkeys(values))


def selections_of(target):
    """(cell's wildcards, path of the rows selected for it) for each selection that is compared with others."""
    return [
        (
            cell.wildcards(),
            PATHS.selected.format(**grid.selection_of(EXPERIMENT, cell).wildcards()),
        )
        for cell in grid.selected_for(EXPERIMENT, target)
    ]


def files_of(table):
    return expand(PATHS.table, table=table, format=TABLE_FORMATS) + expand(
        PATHS.figure, table=table, format=FIGURE_FORMATS
    )


def named_table(table):
    """The files of a table of config/tables, which not every experiment has."""
    if table not in EXPERIMENT.tables:
        raise WorkflowError(
            f"Experiment {EXPERIMENT.name!r} has no table {table!r}; it has {', '.join(EXPERIMENT.tables)}."
        )
    return files_of(table)


def print_results():
    files = [*files_of(list(EXPERIMENT.tables)), PATHS.report]
    made = [path for path in files if Path(path).exists()]
    print("\n".join(["", "Results:", *made]))
