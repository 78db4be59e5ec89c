rule pool_embeddings:
    input:
        rows=PATHS.pool,
        sampled=PATHS.pool_summary,
        manifest=lambda wildcards: WIRING.manifest_of("encoder", wildcards.encoder),
    output:
        store=PATHS.pool_embeddings,
    log:
        PATHS.log("pool_embeddings", "encoder", "pool"),
    benchmark:
        PATHS.benchmark("pool_embeddings", "encoder", "pool")
    conda:
        "../../envs/embeddings.yaml"
    threads: SETTINGS.threads.embeddings
    resources:
        mem_mb=memory_of("pool_embeddings"),
        runtime=runtime_of("pool_embeddings"),
        gpu=GPUS.embeddings,
    params:
        settings=settings_of("pool_embeddings"),
        code=code_of("embeddings"),
        execution=execution({"batch_size": WIRING.encoder_batch_size}),
    message:
        "Embedding pool {wildcards.pool}"
    script:
        "../scripts/embeddings.py"


use rule pool_embeddings as validation_embeddings with:
    input:
        rows=PATHS.validation,
        sampled=PATHS.target_summary,
        manifest=lambda wildcards: WIRING.manifest_of("encoder", wildcards.encoder),
    output:
        store=PATHS.validation_embeddings,
    log:
        PATHS.log("validation_embeddings", "encoder", "target"),
    benchmark:
        PATHS.benchmark("validation_embeddings", "encoder", "target")
    message:
        "Embedding the validation rows of {wildcards.target}"
