rule pool_gradients:
    input:
        rows=PATHS.pool,
        sampled=PATHS.pool_summary,
        model=PATHS.model,
        adapter=PATHS.warmup_adapter,
        moments=PATHS.warmup_moments,
    output:
        store=PATHS.pool_shard,
    log:
        PATHS.log("pool_gradients", "model", "pool", "checkpoint", "shard"),
    benchmark:
        PATHS.benchmark("pool_gradients", "model", "pool", "checkpoint", "shard")
    priority: 50
    conda:
        "../../envs/training.yaml"
    threads: SETTINGS.threads.gradients
    resources:
        mem_mb=memory_of("pool_gradients"),
        runtime=by_attempt(shard_minutes),
        gpu=GPUS.gradients,
    params:
        settings=settings_of("pool_gradients"),
        shards=lambda wildcards: WIRING.shard_count(wildcards, wildcards.checkpoint),
        code=code_of("gradients"),
        execution=execution(
            lambda wildcards: {
                **MODEL_PASSES,
                "decided_by": WIRING.behind_gradients(wildcards),
            }
        ),
    message:
        "Gradients of {wildcards.pool}, part {wildcards.shard}, under {wildcards.model}"
    script:
        "../scripts/gradients.py"


rule gather_pool_gradients:
    input:
        shards=lambda wildcards: WIRING.pool_shards(wildcards, wildcards.checkpoint),
    output:
        store=PATHS.pool_gradients,
    log:
        PATHS.log("gather_pool_gradients", "model", "pool", "checkpoint"),
    benchmark:
        PATHS.benchmark("gather_pool_gradients", "model", "pool", "checkpoint")
    localrule: True
    conda:
        "../../envs/selection.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings_of("gather_pool_gradients"),
        code=code_of("gather_pool_gradients"),
    message:
        "Gathering the gradients of {wildcards.pool} under {wildcards.model}"
    script:
        "../scripts/gather_pool_gradients.py"


rule validation_gradients:
    input:
        rows=PATHS.validation,
        sampled=PATHS.target_summary,
        model=PATHS.model,
        adapter=PATHS.warmup_adapter,
    output:
        store=PATHS.validation_gradients,
    log:
        PATHS.log("validation_gradients", "model", "pool", "checkpoint", "target"),
    benchmark:
        PATHS.benchmark("validation_gradients", "model", "pool", "checkpoint", "target")
    conda:
        "../../envs/training.yaml"
    threads: SETTINGS.threads.gradients
    resources:
        mem_mb=memory_of("validation_gradients"),
        runtime=runtime_of("validation_gradients"),
        gpu=GPUS.gradients,
    params:
        settings=settings_of("validation_gradients"),
        code=code_of("gradients"),
        execution=execution(MODEL_PASSES),
    message:
        "Gradients of {wildcards.target}'s validation rows under {wildcards.model}"
    script:
        "../scripts/gradients.py"
