# The experiment, its grid, and the input functions of the rules. It sits in workflow/ so that Snakemake puts this
# folder on the import path of every script, in every environment and on every node.
import functools
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

from instruction_selection.core import entry_names, packages, provenance
from instruction_selection.core.errors import InputError
from instruction_selection.core.features import GRADIENTS
from instruction_selection.data import hub
from instruction_selection.experiment import grid, load, machines
from instruction_selection.experiment.method import has_own_rule
from instruction_selection.experiment.paths import Layout
from instruction_selection.experiment.table import Table

packages.prefer(Path(workflow.basedir) / "workflow")


def load_experiment():
    unknown = sorted(set(config) - {"experiment"})
    if unknown:
        raise WorkflowError(
            f"--config: unknown key {unknown[0]!r}; only `experiment` is chosen here."
        )
    return load.load("config", str(config.get("experiment") or ""))


try:
    EXPERIMENT = load_experiment()
except InputError as error:
    raise WorkflowError(str(error)) from None

SETTINGS = EXPERIMENT.settings
PATHS = Layout(EXPERIMENT.name)
MIRROR = hub.prepare_jobs(SETTINGS.hub.mirror)
HUB = SETTINGS.hub.cache
MANIFEST = f"{HUB}/manifests/{{kind}}/{{entry}}.json"
PUBLIC = {
    "model": EXPERIMENT.models,
    "encoder": {SETTINGS.encoder: EXPERIMENT.encoder} if EXPERIMENT.encoder else {},
    "pool": EXPERIMENT.pools,
    "benchmark": EXPERIMENT.benchmarks,
}
# What a row of the gradient store depends on, and the size of batches; not the number of shards.
GRADIENT_SETTINGS = SETTINGS.gradients.plain("projection", "precision", "batch_tokens")
# What an embedding depends on, and the size of batches.
ENCODER = EXPERIMENT.encoder and EXPERIMENT.encoder.plain("source", "batch_size")
# Of the warm-up, by number; the last one is its end.
CHECKPOINTS = range(1, SETTINGS.warmup.checkpoints + 1)
# A grid asks for the same few modules hundreds of times.
source_hash = functools.cache(provenance.source_hash)
TABLE_FORMATS = ("md", "csv", "tex")
FIGURE_FORMATS = ("svg", "png")


def one_of(names, *others):
    return "|".join(re.escape(str(name)) for name in (*names, *others))


WILDCARDS = {
    "kind": one_of(PUBLIC),
    "entry": one_of(name for entries in PUBLIC.values() for name in entries),
    "model": one_of(EXPERIMENT.models, entry_names.ANY),
    "pool": one_of(EXPERIMENT.pools, entry_names.ANY),
    "target": one_of(EXPERIMENT.benchmarks, *grid.targets(EXPERIMENT), entry_names.ANY),
    "benchmark": one_of(EXPERIMENT.benchmarks),
    "method": one_of(EXPERIMENT.methods),
    "table": one_of(EXPERIMENT.tables),
    "encoder": one_of([SETTINGS.encoder or "none"]),
    "ratio": r"\d(\.\d+)?(e-\d+)?",
    "seed": r"\d+",
    "shard": r"\d+",
    "checkpoint": r"\d+",
    "format": one_of(TABLE_FORMATS, *FIGURE_FORMATS),
}


def sources_of(kind, entry):
    sources = PUBLIC[kind][entry].sources()
    return {name: source.plain() for name, source in sources.items()}


def manifest_of(kind, entry):
    """[what lists the fetched files of a model, encoder, pool or benchmark], or [] if it has nothing to fetch."""
    path = MANIFEST.format(kind=kind, entry=entry)
    return [path] if hub.fetched(sources_of(kind, entry)) else []


def find_own_files(kind, entry):
    try:
        return hub.own_files(sources_of(kind, entry))
    except InputError as error:
        raise WorkflowError(f"config/{kind}s/{entry}.yaml: {error}") from None


# Now, because of what an input function raises Snakemake prints a traceback besides.
OWN_FILES = {
    (kind, entry): find_own_files(kind, entry)
    for kind, entries in PUBLIC.items()
    for entry in entries
}


def own_files(wildcards):
    return OWN_FILES[wildcards.kind, wildcards.entry]


def warn_of_missing_gpus():
    """Where jobs run on this machine, and ask for GPUs that it does not have."""
    wanted = [stage for stage, number in SETTINGS.gpus if number]
    if wanted and workflow.local_exec and not machines.has_gpu():
        logger.warning(
            f"Experiment {EXPERIMENT.name} wants GPUs for {', '.join(wanted)}, and this machine shows none: the "
            "processor computes instead. `snakemake estimate` says how long that takes."
        )


def evaluated_with(backend):
    """A wildcard constraint: the benchmarks that are evaluated with a backend."""
    return one_of(
        [
            name
            for name in EXPERIMENT.benchmarks
            if grid.evaluation_settings(EXPERIMENT, name).backend == backend
        ]
        or ["none"]
    )


def scoring_of(benchmark):
    """What an evaluation depends on, so that another label is no reason to do it again."""
    return EXPERIMENT.benchmarks[benchmark].inputs("fewshot", "harness", "metrics")


def public_files():
    """All manifests that the experiment needs."""
    return [
        manifest
        for kind, entries in PUBLIC.items()
        for entry in entries
        for manifest in manifest_of(kind, entry)
    ]


def refuse_gated_sources():
    """Of what is going to be fetched. A dry run starts nothing, and so it says what would be done without a login."""
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "fetch":
            kind, entry = job.wildcards.kind, job.wildcards.entry
            try:
                hub.refuse_if_gated(
                    f"config/{kind}s/{entry}.yaml", sources_of(kind, entry), MIRROR
                )
            except InputError as error:
                raise WorkflowError(str(error)) from None


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


def feature_files(wildcards, checkpoint=CHECKPOINTS[-1]):
    """What a method's `needs` are called, and where they are: one file, or one per part of a joint target."""
    patterns = {
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
    names = {
        "model": wildcards.model,
        "pool": wildcards.pool,
        "encoder": SETTINGS.encoder,
        "checkpoint": checkpoint,
    }

    def paths(need):
        parts = entry_names.parts(wildcards.target)
        if not need.startswith("validation_"):
            parts = [entry_names.ANY]
        return [patterns[need].format(target=part, **names) for part in parts]

    return {need: paths(need) for need in method_of(wildcards).needs}


def features_made_with(wildcards):
    """What the stores that a method reads say of themselves, as far as the experiment says it."""
    needs = method_of(wildcards).needs
    made_with = {}
    if any(need in GRADIENTS for need in needs):
        made_with |= SETTINGS.gradients.inputs("projection", "precision")
    if grid.uses_model(method_of(wildcards)):
        made_with["template"] = EXPERIMENT.models[wildcards.model].template
        made_with["cutoff_len"] = SETTINGS.cutoff_len
    if any(need.endswith("_embeddings") for need in needs):
        made_with["encoder"] = ENCODER
    return made_with


def earlier_feature_files(wildcards):
    """The gradients under each checkpoint before the last, for a method that reads them all."""
    if method_of(wildcards).checkpoints == "last":
        return []
    return [
        {
            need: paths
            for need, paths in feature_files(wildcards, checkpoint).items()
            if need.endswith("_gradients")
        }
        for checkpoint in CHECKPOINTS[:-1]
    ]


def methods_without_own_rule():
    """Those that `select_rows` selects for."""
    return [name for name in EXPERIMENT.methods if not has_own_rule(name)]


def selection_inputs(wildcards):
    """`feature_files`, and what belongs to them."""
    inputs = feature_files(wildcards)
    earlier = earlier_feature_files(wildcards)
    if earlier:
        inputs["earlier"] = [
            path for needs in earlier for paths in needs.values() for path in paths
        ]
    if any(need in GRADIENTS for need in inputs):
        inputs["checkpoints"] = PATHS.warmup_checkpoints.format(
            model=wildcards.model, pool=wildcards.pool
        )
    if grid.targeted(method_of(wildcards)):
        inputs["validation"] = expand(
            PATHS.validation, target=entry_names.parts(wildcards.target)
        )
    sized_like = grid.size_of(EXPERIMENT, cell_of(wildcards))
    if sized_like:
        inputs["sized_like"] = PATHS.selection.format(**sized_like.wildcards())
    if {"pool_gradients", "pool_sgd_gradients"} & inputs.keys():
        # The joined store holds no data of its own.
        numbers = CHECKPOINTS if earlier else CHECKPOINTS[-1]
        inputs["shards"] = expand(shard_files(wildcards), checkpoint=numbers)
    return inputs


def shard_files(wildcards):
    """Of every checkpoint, whose number is left open."""
    return expand(
        PATHS.pool_shard,
        model=wildcards.model,
        pool=wildcards.pool,
        shard=range(SETTINGS.gradients.shards_of(wildcards.pool)),
        allow_missing=True,
    )


def selected_rows(wildcards):
    """The selection that a run trains on; runs share one where it does not depend on model, target or seed."""
    selection = grid.selection_of(EXPERIMENT, cell_of(wildcards))
    return PATHS.selected.format(**selection.wildcards())


def trained_adapter(wildcards):
    return [PATHS.adapter] if method_of(wildcards).trained else []


def table_cells(table):
    """For each score of a table: what it is of, and the paths of its evaluation and its samples, and of the summaries of
    its selection and its training, which are None for the untuned model."""
    rows = []
    for score in grid.scores(EXPERIMENT, EXPERIMENT.tables[table]):
        names = score.cell.wildcards()
        selection = training = None
        if EXPERIMENT.methods[score.cell.method].trained:
            selection = PATHS.selection.format(
                **grid.selection_of(EXPERIMENT, score.cell).wildcards()
            )
            training = PATHS.training_summary.format(**names)
        rows.append(
            (
                {**names, "shown_for": score.target, "benchmark": score.benchmark},
                PATHS.evaluation.format(benchmark=score.benchmark, **names),
                PATHS.samples.format(benchmark=score.benchmark, **names),
                selection,
                training,
            )
        )
    return rows


def table_inputs(wildcards):
    rows = table_cells(wildcards.table)
    plan = EXPERIMENT.tables[wildcards.table]
    return {
        "evaluations": unique(evaluation for _, evaluation, *_ in rows),
        "samples": unique(samples for _, _, samples, *_ in rows),
        "selections": unique(selection for *_, selection, _ in rows if selection),
        "trainings": unique(training for *_, training in rows if training),
        "pools": expand(PATHS.pool_summary, pool=plan.pools),
        "overlap": expand(
            PATHS.overlap,
            pool=plan.pools,
            target=unique(cell["benchmark"] for cell, *_ in rows),
        ),
        "reported": [plan.reported] if plan.reported else [],
    }


def shown(entries, *keys):
    """What a table says of models, benchmarks or methods."""
    return {name: entry.plain(*keys) for name, entry in entries.items()}


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


def compared_selections():
    """Wildcards of every selection that is compared with others, each once."""
    cells = (
        grid.selection_of(EXPERIMENT, cell)
        for target in grid.targets(EXPERIMENT)
        for cell in grid.selected_for(EXPERIMENT, target)
    )
    return [cell.wildcards() for cell in unique(cells)]


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
