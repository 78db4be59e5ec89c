# The experiment, its grid, and the input functions of the rules. It sits in workflow/ so that Snakemake puts this
# folder on the import path of every script, in every environment and on every node.
import functools
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

from instruction_selection.core import (
    code,
    console,
    devices,
    entry_names,
    files,
    packages,
    reasons,
)
from instruction_selection.core.errors import InputError
from instruction_selection.data import hub, model_folders
from instruction_selection.experiment import (
    decides,
    draws,
    grid,
    load,
    own_rules,
    program_names,
    wiring,
)
from instruction_selection.experiment.chain import Chain
from instruction_selection.experiment.compared import ComparedSelections
from instruction_selection.experiment.folders import Folders
from instruction_selection.experiment.table import Table

logger.addFilter(reasons.ShortReasons())
# A dry run says why each job is planned, and `--verbose` everything; a job on a cluster node has a log of its own.
OUTPUT = workflow.output_settings
# Of a workflow that imports this one, the messages on the terminal are its own.
IS_MODULE = not workflow.modifier.is_main_snakefile()
if workflow.is_main_process and not (IS_MODULE or OUTPUT.dryrun or OUTPUT.verbose):
    console.install(logger)
packages.prefer(code.SCRIPTS.parent)


CONFIG = Folders.of_run()


def load_experiment():
    if workflow.modifier.modify_path("results") != "results":
        raise WorkflowError(
            "This workflow cannot be imported with `prefix` or `replace_prefix`: its results name the files that they "
            "were made from. They are all below results/NAME of the experiment, so rename the experiment instead."
        )
    unknown = sorted(set(config) - {"experiment", "draw"})
    if unknown:
        raise WorkflowError(
            f"--config: unknown key {unknown[0]!r}; only `experiment` and `draw` are chosen here."
        )
    draw = draws.number(config.get("draw"))
    return load.load(CONFIG, str(config.get("experiment") or ""), draw)


try:
    # Snakemake keeps its locks and records there, those of a dry run as well.
    files.reject_read_only(".snakemake")
    EXPERIMENT = load_experiment()
except InputError as error:
    raise WorkflowError(str(error)) from None

SETTINGS = EXPERIMENT.settings
WIRING = wiring.Wiring(EXPERIMENT)
COMPARED = ComparedSelections(EXPERIMENT)
PATHS = WIRING.paths
MIRROR = hub.prepare_jobs(SETTINGS.hub.mirror)
HUB = WIRING.hub
MANIFEST = WIRING.manifest
PUBLIC = WIRING.public
CHECKPOINTS = WIRING.checkpoints


# What plans a job again (docs/reruns.md): `settings` and `code`. How it runs is `execution`, and plans nothing.
def settings_of(rule):
    return lambda wildcards: WIRING.decisions.of_job(rule, dict(wildcards.items()))


@functools.cache
def code_of(script, *modules):
    """Hashes of a script and of the library's modules behind it; `modules` are those that only the config names."""
    return code.of_job(code.SCRIPTS / f"{script}.py", *modules)


def add_own_rules(rules, method):
    """Plan a method's own rules again when its parameters or files have changed."""
    for added in rules:
        added.set_params(code=own_rules.code(method))
        if "method" in added.wildcard_names:
            added.set_params(settings=settings_of("select_rows"))


def selecting_code(wildcards):
    """Of a method: in the library, or in the files of a rule of its own."""
    implementation = WIRING.implementation_of(wildcards)
    if implementation is None:
        return {**code_of("select_rows"), **own_rules.code(wildcards.method)}
    return code_of("select_rows", f"methods.{implementation}")


def execution(values):
    """A param on which no result depends: Snakemake does not compare what is derived from a job's resources."""
    return lambda wildcards, resources: (
        values(wildcards) if callable(values) else values
    )


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
    "ratio": r"\d+(\.\d+)?(e-\d+)?",
    "seed": r"\d+",
    "shard": r"\d+",
    "checkpoint": r"\d+",
    "format": one_of(wiring.TABLE_FORMATS, *wiring.FIGURE_FORMATS),
}


def config_file(kind, entry):
    """The file of an entry of a kind that has sources."""
    return CONFIG.path(f"{kind}s/{entry}.yaml")


def find_own_files(kind, entry):
    try:
        sources = WIRING.sources_of(kind, entry)
        if kind == "model" and sources["source"]["kind"] == "folder":
            folder, template = (
                sources["source"]["folder"],
                EXPERIMENT.models[entry].template,
            )
            model_folders.check(folder)
            if workflow.is_main_process:
                model_folders.check_template(
                    folder, template, program_names.may_write_bos(template)
                )
        return hub.own_files(sources)
    except InputError as error:
        raise WorkflowError(f"{config_file(kind, entry)}: {error}") from None


# Here and not in an input function, for whose errors Snakemake adds a traceback.
OWN_FILES = {
    (kind, entry): find_own_files(kind, entry)
    for kind, entries in PUBLIC.items()
    for entry in entries
}


def own_files(wildcards):
    return OWN_FILES[wildcards.kind, wildcards.entry]


def warn_of_missing_gpus():
    """Where jobs run on this machine, and ask for GPUs that it does not have."""
    wanted = list(SETTINGS.gpus.by_stage())
    if wanted and workflow.local_exec and not devices.has_gpu():
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


def reject_gated_sources():
    """Of what is going to be fetched. A dry run starts nothing, and so it says what would be done without a login."""
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "fetch":
            kind, entry = job.wildcards.kind, job.wildcards.entry
            try:
                hub.reject_if_gated(
                    config_file(kind, entry),
                    WIRING.sources_of(kind, entry),
                    MIRROR,
                )
            except InputError as error:
                raise WorkflowError(str(error)) from None


def reject_read_only_results():
    """Before the first job. Where results are finished, they may be read-only."""
    try:
        for folder in (Path(PATHS.report).parent, PATHS.logs):
            files.reject_read_only(folder)
    except InputError as error:
        raise WorkflowError(str(error)) from None


def reject_evaluation():
    """Of an experiment with a target that is only selected for. For input functions of what shows evaluations."""
    if missing := grid.only_selected_for(EXPERIMENT):
        raise WorkflowError(
            f"Experiment {EXPERIMENT.name!r} does not evaluate {', '.join(missing)} (no `evaluation_rows`), so it has "
            "no tables; run `snakemake select`."
        )
    return []


def evaluated_rows(wildcards):
    reject_evaluation()
    return PATHS.evaluation_rows.format(target=wildcards.benchmark)


def named_table(table):
    """The files of a table of config/tables, which not every experiment has."""
    if table not in EXPERIMENT.tables:
        raise WorkflowError(
            f"Experiment {EXPERIMENT.name!r} has no table {table!r}; it has {', '.join(EXPERIMENT.tables)}."
        )
    reject_evaluation()
    return WIRING.files_of(table)


def print_tables():
    """The tables that the run was asked for, and where its report is."""
    asked_for = {
        job.wildcards.table for job in workflow.dag.jobs if job.rule.name == "table"
    }
    if asked_for and not OUTPUT.quiet and not workflow.touch:
        names = [name for name in EXPERIMENT.tables if name in asked_for]
        print(
            console.tables(
                PATHS.table.format(table=name, format="md") for name in names
            )
        )
        print(
            f"\n{Path(PATHS.table).parent}: with captions and notes, as LaTeX and as CSV"
        )
        if Path(PATHS.report).exists():
            print(f"{PATHS.report}: what was found, figures, and what was chosen")
