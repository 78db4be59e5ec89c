rule prepare_model:
    input:
        manifest=lambda wildcards: manifest_of("model", wildcards.model),
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
        mem_mb=8000,
        runtime=60,
    params:
        model=lambda wildcards: EXPERIMENT.models[wildcards.model],
    message:
        "Preparing model {wildcards.model}"
    script:
        "../scripts/prepare_model.py"
