# The whole pipeline: sample a pool, warm up, one gradient per row, select, fine-tune, evaluate, tables.
# `snakemake --cores 2` runs config/experiments/demo.yaml; `--config experiment=NAME` runs another one.
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import LocalSourceFile
from snakemake.utils import min_version

min_version("9.27")

if not isinstance(workflow.current_basedir, LocalSourceFile):
    raise WorkflowError(
        "This workflow has a Python library, which cannot be imported from an address: clone the repository, and name "
        "the Snakefile of the clone instead (docs/modules.md)."
    )


# The working directory's own, if it has one.
if Path("config/config.yaml").exists():

    configfile: "config/config.yaml"

else:

    configfile: Path(workflow.current_basedir) / "config/config.yaml"


# Only with `--sdm conda apptainer`: docs/containers.md.
containerized: "container/instruction-selection.sif"


include: "workflow/common.smk"
include: "workflow/resources.smk"


wildcard_constraints:
    **WILDCARDS,


include: "workflow/rules/prefetch.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/pools.smk"
include: "workflow/rules/warmup.smk"
include: "workflow/rules/gradients.smk"
include: "workflow/rules/embeddings.smk"
include: "workflow/rules/hidden_states.smk"
include: "workflow/rules/losses.smk"
include: "workflow/rules/selection.smk"
include: "workflow/rules/select.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/list.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/draws.smk"
include: "workflow/rules/datamodels.smk"
include: "workflow/rules/distances.smk"


# Methods that choose by a rule of their own (docs/add-a-method.md).
for own_method in own_rules.names():
    others = set(workflow.rules)

    include: str(own_rules.path(own_method))

    add_own_rules(set(workflow.rules) - others, own_method)


onsuccess:
    print_tables()


onerror:
    print(
        "Finished results are kept. Fix the error above, and run the same command again to resume (docs/faults.md)."
    )


rule all:
    default_target: True
    input:
        lambda wildcards: reject_evaluation(),
        PATHS.report,
        WIRING.files_of(EXPERIMENT.tables),
        expand(PATHS.shared_rows, target=grid.targets(EXPERIMENT)),
        PATHS.resolved_config,
    localrule: True
