rule prepare_model:
    input:
        manifest=lambda wildcards: WIRING.manifest_of("model", wildcards.model),
    output:
        folder=directory(PATHS.model),
    log:
        PATHS.log("prepare_model", "model"),
    benchmark:
        PATHS.benchmark("prepare_model", "model")
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(model_memory),
        runtime=by_attempt(60),
    params:
        settings=settings_of("prepare_model"),
        code=code_of("prepare_model"),
        # Checked here, but a model that is prepared does not depend on it.
        execution=execution(WIRING.adapted_layers()),
    message:
        "Preparing model {wildcards.model}"
    script:
        "../scripts/prepare_model.py"
