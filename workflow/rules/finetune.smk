rule finetune:
    input:
        rows=WIRING.selected_rows,
        selection=WIRING.selected_summary,
        model=PATHS.model,
    output:
        adapter=directory(PATHS.adapter),
        summary=PATHS.training_summary,
    log:
        PATHS.log("finetune", "model", "pool", "target", "method", "ratio", "seed"),
    benchmark:
        PATHS.benchmark(
            "finetune", "model", "pool", "target", "method", "ratio", "seed"
        )
    # The largest selection first, or everything waits for it at the end.
    priority: lambda wildcards: int(100 * float(wildcards.ratio))
    conda:
        "../../envs/training.yaml"
    threads: SETTINGS.threads.training
    resources:
        **SEVERAL_NODES,
        mem_mb=memory_of("finetune"),
        runtime=runtime_of("finetune"),
        gpu=GPUS.training * NODES,
        nodes=NODES,
    params:
        settings=settings_of("finetune"),
        code=code_of("finetune"),
        execution=execution(EXPERIMENT.training["finetune"].execution()),
    message:
        "Fine-tuning {wildcards.model} on {wildcards.method} ({wildcards.ratio} of {wildcards.pool}, {wildcards.target})"
    script:
        "../scripts/finetune.py"
