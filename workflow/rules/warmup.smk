rule sample_warmup:
    input:
        pool=PATHS.pool,
        sampled=PATHS.pool_summary,
    output:
        rows=PATHS.warmup_rows,
        summary=PATHS.warmup_summary,
    log:
        PATHS.log("sample_warmup", "model", "pool"),
    benchmark:
        PATHS.benchmark("sample_warmup", "model", "pool")
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(pool_memory),
        runtime=by_attempt(15),
    params:
        settings=settings_of("sample_warmup"),
        code=code_of("sample_warmup"),
    message:
        "Drawing warm-up rows from {wildcards.pool}"
    script:
        "../scripts/sample_warmup.py"


rule warmup:
    input:
        rows=PATHS.warmup_rows,
        sampled=PATHS.warmup_summary,
        model=PATHS.model,
    output:
        adapters=directory(
            expand(PATHS.warmup_adapter, checkpoint=CHECKPOINTS, allow_missing=True)
        ),
        moments=expand(PATHS.warmup_moments, checkpoint=CHECKPOINTS, allow_missing=True),
        checkpoints=PATHS.warmup_checkpoints,
        log=PATHS.warmup_log,
    log:
        PATHS.log("warmup", "model", "pool"),
    benchmark:
        PATHS.benchmark("warmup", "model", "pool")
    # Everything on the longest path waits for it.
    priority: 50
    conda:
        "../../envs/training.yaml"
    threads: SETTINGS.threads.training
    resources:
        **SEVERAL_NODES,
        mem_mb=memory_of("warmup"),
        runtime=runtime_of("warmup"),
        gpu=GPUS.training * NODES,
        nodes=NODES,
    params:
        settings=settings_of("warmup"),
        code=code_of("warmup"),
        execution=execution(EXPERIMENT.training["warmup"].execution()),
    message:
        "Warming up {wildcards.model} on {wildcards.pool}"
    script:
        "../scripts/warmup.py"
