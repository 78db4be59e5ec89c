rule harness_tasks:
    input:
        rows=evaluated_rows,
        sampled=lambda wildcards: PATHS.target_summary.format(
            target=wildcards.benchmark
        ),
        manifest=lambda wildcards: (
            WIRING.manifest_of("benchmark", wildcards.benchmark)
            if EXPERIMENT.benchmarks[wildcards.benchmark].fewshot
            else []
        ),
    output:
        tasks=directory(PATHS.harness_tasks),
    log:
        PATHS.log("harness_tasks", "benchmark"),
    benchmark:
        PATHS.benchmark("harness_tasks", "benchmark")
    localrule: True
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        settings=settings_of("harness_tasks"),
        code=code_of("harness_tasks"),
    message:
        "Writing the harness tasks of {wildcards.benchmark}"
    script:
        "../scripts/harness_tasks.py"


rule evaluate:
    input:
        model=PATHS.model,
        adapter=WIRING.trained_adapter,
        tasks=PATHS.harness_tasks,
    output:
        summary=PATHS.evaluation,
        samples=PATHS.samples,
    log:
        PATHS.log(
            "evaluate",
            "model",
            "pool",
            "target",
            "method",
            "ratio",
            "seed",
            "benchmark",
        ),
    benchmark:
        PATHS.benchmark(
            "evaluate",
            "model",
            "pool",
            "target",
            "method",
            "ratio",
            "seed",
            "benchmark",
        )
    wildcard_constraints:
        benchmark=evaluated_with("hf"),
    conda:
        "../../envs/evaluation.yaml"
    threads: SETTINGS.threads.evaluation
    resources:
        mem_mb=memory_of("evaluate"),
        runtime=runtime_of("evaluate"),
        gpu=GPUS.evaluation,
    params:
        settings=settings_of("evaluate"),
        code=code_of("evaluate"),
        execution=execution(SETTINGS.evaluation.plain("batch_size")),
    message:
        "Evaluating {wildcards.method} ({wildcards.ratio} of {wildcards.pool}, {wildcards.target}) on {wildcards.benchmark}"
    script:
        "../scripts/evaluate.py"


use rule evaluate as evaluate_with_vllm with:
    wildcard_constraints:
        benchmark=evaluated_with("vllm"),
    conda:
        "../../envs/evaluation-vllm.yaml"
