# What jobs ask of a cluster: the arithmetic is in instruction_selection/resources.py, the sizes come from here.
from instruction_selection import resources

GPUS = SETTINGS.gpus
NODES = SETTINGS.nodes.training
THREADS = SETTINGS.threads
# The executor starts a job in a step of one task, which can have the GPUs of one node only. Where MPI is said to be used
# it does not, and the training starts a step over all nodes itself; then tasks have to be given, and not per GPU.
SEVERAL_NODES = {"mpi": "srun", "tasks": NODES, "tasks_per_gpu": 0} if NODES > 1 else {}


def tell_missing_gpus():
    """Where jobs run on this machine, and ask for GPUs that it does not have."""
    asked = [kind for kind, number in GPUS if number]
    if asked and workflow.local_exec and not resources.has_gpu():
        logger.warning(
            f"Experiment {EXPERIMENT.name} wants GPUs for {', '.join(asked)}, and none can be seen here: the processor "
            "computes instead. `snakemake estimate` says how long that takes."
        )


def by_attempt(amount):
    """`amount`, or what it gives for a job's wildcards, times the number of the attempt."""
    return lambda wildcards, attempt: attempt * (
        amount(wildcards) if callable(amount) else amount
    )


def parameters_of(wildcards):
    return EXPERIMENT.models[wildcards.model].parameters


def rows_of(wildcards):
    """Rows of the pool or of the target's files, whichever a job is about."""
    if "pool" in wildcards.keys():
        return SETTINGS.pools[wildcards.pool].rows
    target = SETTINGS.targets[wildcards.target]
    return target.validation_rows + target.evaluation_rows


def chosen_rows(wildcards):
    return float(wildcards.ratio) * rows_of(wildcards)


def pool_memory(wildcards):
    return resources.data_memory(rows_of(wildcards))


def model_memory(wildcards):
    return resources.model_memory(parameters_of(wildcards), 0)


def training_memory(wildcards):
    # Of one node.
    memory = resources.model_memory(parameters_of(wildcards), GPUS.training)
    return memory + resources.COMPILER if GPUS.training * NODES > 1 else memory


def training_runtime(wildcards, stage, rows):
    return resources.training_runtime(
        parameters_of(wildcards),
        rows * getattr(EXPERIMENT.training, stage).num_train_epochs,
        SETTINGS.cutoff_len,
        GPUS.training * NODES,
        THREADS.training,
    )


def warmup_runtime(wildcards):
    return training_runtime(wildcards, "warmup", SETTINGS.warmup.rows)


def finetune_runtime(wildcards):
    return training_runtime(wildcards, "finetune", chosen_rows(wildcards))


def gradients_memory(wildcards):
    return resources.model_memory(parameters_of(wildcards), GPUS.gradients)


def gradients_runtime(wildcards, rows):
    return resources.training_runtime(
        parameters_of(wildcards),
        rows,
        SETTINGS.cutoff_len,
        GPUS.gradients,
        THREADS.gradients,
    )


def pool_gradients_runtime(wildcards):
    rows = rows_of(wildcards) / SETTINGS.gradients.shards_of(wildcards.pool)
    return gradients_runtime(wildcards, rows)


def validation_gradients_runtime(wildcards):
    rows = SETTINGS.targets[wildcards.target].validation_rows
    return gradients_runtime(wildcards, rows)


def hidden_states_runtime(wildcards):
    return gradients_runtime(wildcards, rows_of(wildcards))


def embedding_memory(wildcards):
    return resources.embedding_memory(rows_of(wildcards))


def embedding_runtime(wildcards):
    return resources.embedding_runtime(
        rows_of(wildcards), GPUS.embeddings, THREADS.embeddings
    )


def selection_dimension(wildcards):
    """Numbers that a method reads of a row; hidden states and embeddings count as gradients."""
    if not method_of(wildcards).needs:
        return 0
    return SETTINGS.gradients.projection.dimension


def selection_memory(wildcards):
    dimension = selection_dimension(wildcards)
    return SETTINGS.selection.memory_mb or resources.selection_memory(
        rows_of(wildcards), dimension
    )


def selection_runtime(wildcards):
    return resources.selection_runtime(
        rows_of(wildcards),
        selection_dimension(wildcards),
        chosen_rows(wildcards),
        THREADS.selection,
    )


def evaluation_memory(wildcards):
    return resources.model_memory(parameters_of(wildcards), GPUS.evaluation)


def evaluation_runtime(wildcards):
    return resources.evaluation_runtime(
        parameters_of(wildcards),
        SETTINGS.targets[wildcards.benchmark].evaluation_rows,
        GPUS.evaluation,
        THREADS.evaluation,
    )


def backend_of(benchmark):
    own = SETTINGS.targets[benchmark].backend
    return own or SETTINGS.evaluation.backend


def evaluation_settings(benchmark):
    return {**SETTINGS.evaluation.plain(), "backend": backend_of(benchmark)}


def evaluated_with(backend):
    names = [name for name in EXPERIMENT.benchmarks if backend_of(name) == backend]
    return one_of(names or ["none"])
