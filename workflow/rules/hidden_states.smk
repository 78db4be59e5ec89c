rule pool_hidden_states:
    input:
        rows=PATHS.pool,
        sampled=PATHS.pool_summary,
        model=PATHS.model,
    output:
        store=PATHS.pool_hidden_states,
    log:
        PATHS.log("pool_hidden_states", "model", "pool"),
    benchmark:
        PATHS.benchmark("pool_hidden_states", "model", "pool")
    conda:
        "../../envs/training.yaml"
    threads: SETTINGS.threads.gradients
    resources:
        mem_mb=memory_of("pool_hidden_states"),
        runtime=runtime_of("pool_hidden_states"),
        gpu=GPUS.gradients,
    params:
        settings=settings_of("pool_hidden_states"),
        code=code_of("hidden_states"),
        execution=execution(MODEL_PASSES),
    message:
        "Hidden states of pool {wildcards.pool} under {wildcards.model}"
    script:
        "../scripts/hidden_states.py"


use rule pool_hidden_states as validation_hidden_states with:
    input:
        rows=PATHS.validation,
        sampled=PATHS.target_summary,
        model=PATHS.model,
    output:
        store=PATHS.validation_hidden_states,
    log:
        PATHS.log("validation_hidden_states", "model", "target"),
    benchmark:
        PATHS.benchmark("validation_hidden_states", "model", "target")
    message:
        "Hidden states of the validation rows of {wildcards.target} under {wildcards.model}"
