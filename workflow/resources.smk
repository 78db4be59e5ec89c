# What jobs ask of a cluster; the arithmetic is in instruction_selection/cost/resources.py.
import subprocess
import sys

from instruction_selection.cost import card, resources
from instruction_selection.experiment import machines, sizes

GPUS = SETTINGS.gpus
NODES = SETTINGS.nodes.training
# The executor starts a job in a step of one task, which can have the GPUs of one node only. With `mpi` it does not, and
# the training starts a step over all nodes itself; then the number of tasks has to be given, and not per GPU.
SEVERAL_NODES = {"mpi": "srun", "tasks": NODES, "tasks_per_gpu": 0} if NODES > 1 else {}

# How a job of stage `gradients` runs its model: the GPUs that it is split over, and the tokens of a batch, or where they
# are predicted if the experiment does not say them.
MODEL_PASSES = {
    "gpus": GPUS.gradients,
    "batches": {"given": SETTINGS.batch_tokens, "predicted": PATHS.predicted_memory},
}


def by_attempt(amount):
    """`amount`, or what it gives for a job's wildcards, times the number of the attempt."""
    return lambda wildcards, attempt: attempt * (
        amount(wildcards) if callable(amount) else amount
    )


def memory_of(rule):
    """MB for a job of a rule, for its `mem_mb`."""
    return by_attempt(
        lambda wildcards: resources.memory_mb(EXPERIMENT, rule, dict(wildcards.items()))
    )


def runtime_of(rule):
    """Minutes for a job of a rule, for its `runtime`."""
    return by_attempt(
        lambda wildcards: resources.runtime_minutes(
            EXPERIMENT, rule, dict(wildcards.items())
        )
    )


def selection_gpus(wildcards):
    """GPUs for a selection: none for a method that has no use for them."""
    gpus, _ = machines.devices(
        "select_rows", SETTINGS, EXPERIMENT.methods[wildcards.method]
    )
    return gpus


def shard_minutes(wildcards):
    """Minutes for a shard, of which a store that is begun may have another number than the experiment says."""
    shards = WIRING.shard_count(wildcards, wildcards.checkpoint)
    named = {**dict(wildcards.items()), "shards": shards}
    return resources.runtime_minutes(EXPERIMENT, "pool_gradients", named)


def pool_memory(wildcards):
    """MB for a job that reads a pool into memory."""
    return resources.rows_mb(sizes.pool_rows(EXPERIMENT, wildcards.pool))


def page_memory(wildcards):
    """MB for a job that reads a pool, and a few thousand rows of its features."""
    return pool_memory(wildcards) + 600


def pool_index_mb(wildcards):
    """MB that a selection needs for its pool and a GPU, in addition to what the method uses."""
    return resources.index_mb(
        sizes.pool_rows(EXPERIMENT, wildcards.pool), selection_gpus(wildcards) > 0
    )


def model_memory(wildcards):
    """MB for a job that reads a model on the processor."""
    return resources.model_mb(
        EXPERIMENT.models[wildcards.model].parameters, "gradients", 0
    )


def predict_memory_now():
    """Run `predict_memory` alone, in its environment, before the run that waits for it.

    It is not an input of the jobs that need it: Snakemake would plan all of them again when a card is named.
    """
    deployment = workflow.deployment_settings
    options = {
        "--conda-prefix": deployment.conda_prefix,
        "--apptainer-prefix": deployment.apptainer_prefix,
        "--apptainer-args": deployment.apptainer_args,
    }
    methods = [method.item_to_choice() for method in deployment.deployment_method]
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", workflow.main_snakefile),
        *("--config", *(f"{key}={value}" for key, value in config.items())),
        *(["--sdm", *methods] if methods else []),
        *(f"{name}={value}" for name, value in options.items() if value),
        # This run holds the lock, and says itself what a user has to know.
        *("--cores", "1", "--nolock", "--no-hooks", "--quiet", "all"),
        *("--", PATHS.predicted_memory),
    ]
    print(
        f"Predicting the GPU memory of jobs, for a card of {GPUS.card} GB ...",
        file=sys.stderr,
    )
    if subprocess.run(command).returncode:
        raise WorkflowError(
            "The GPU memory of jobs could not be predicted, which gpus.card asks for."
        )


def reject_what_does_not_fit():
    """Of the jobs that are going to run, where the experiment names a card. `--touch` runs none."""
    if not GPUS.card or workflow.touch:
        return
    planned = [
        (job.rule.name, dict(job.wildcards.items()))
        for job in workflow.dag.needrun_jobs()
    ]
    if on_gpus := card.jobs_on_gpus(EXPERIMENT, planned):
        predict_memory_now()
        try:
            card.reject(EXPERIMENT, PATHS.predicted_memory, on_gpus)
        except InputError as error:
            raise WorkflowError(str(error)) from None
