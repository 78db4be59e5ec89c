rule pool_losses:
    input:
        rows=PATHS.pool,
        sampled=PATHS.pool_summary,
        model=PATHS.model,
    output:
        store=PATHS.pool_losses,
    log:
        PATHS.log("pool_losses", "model", "pool"),
    benchmark:
        PATHS.benchmark("pool_losses", "model", "pool")
    conda:
        "../../envs/training.yaml"
    threads: SETTINGS.threads.gradients
    resources:
        mem_mb=memory_of("pool_losses"),
        runtime=runtime_of("pool_losses"),
        gpu=GPUS.gradients,
    params:
        settings=settings_of("pool_losses"),
        code=code_of("losses"),
        execution=execution(MODEL_PASSES),
    message:
        "Losses of pool {wildcards.pool} under {wildcards.model}"
    script:
        "../scripts/losses.py"
