# What jobs ask of a cluster; the arithmetic is in instruction_selection/cost/resources.py.
from instruction_selection.cost import resources
from instruction_selection.experiment import sizes

GPUS = SETTINGS.gpus
NODES = SETTINGS.nodes.training
# The executor starts a job in a step of one task, which can have the GPUs of one node only. With `mpi` it does not, and
# the training starts a step over all nodes itself; then the number of tasks has to be given, and not per GPU.
SEVERAL_NODES = {"mpi": "srun", "tasks": NODES, "tasks_per_gpu": 0} if NODES > 1 else {}


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


def shard_minutes(wildcards):
    """Minutes for a shard, of which a store that is begun may have another number than the experiment says."""
    shards = WIRING.shard_count(wildcards, wildcards.checkpoint)
    named = {**dict(wildcards.items()), "shards": shards}
    return resources.runtime_minutes(EXPERIMENT, "pool_gradients", named)


def pool_memory(wildcards):
    """MB for a job that reads a pool into memory."""
    return resources.rows_mb(sizes.pool_rows(EXPERIMENT, wildcards.pool))


def pool_index_mb(wildcards):
    """MB that a selection needs for its pool, in addition to what the method uses."""
    return resources.index_mb(sizes.pool_rows(EXPERIMENT, wildcards.pool))


def model_memory(wildcards):
    """MB for a job that reads a model on the processor."""
    return resources.model_mb(
        EXPERIMENT.models[wildcards.model].parameters, "gradients", 0
    )
