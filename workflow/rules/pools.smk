rule resolve_config:
    output:
        config=PATHS.resolved_config,
    log:
        PATHS.log("resolve_config"),
    benchmark:
        PATHS.benchmark("resolve_config")
    localrule: True
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        settings=EXPERIMENT.described(),
        execution=execution(EXPERIMENT.resolved()),
    message:
        "Writing the experiment with every default filled in"
    script:
        "../scripts/resolve_config.py"


rule sample_pool:
    input:
        manifest=lambda wildcards: WIRING.manifest_of("pool", wildcards.pool),
    output:
        rows=PATHS.pool,
        summary=PATHS.pool_summary,
    log:
        PATHS.log("sample_pool", "pool"),
    benchmark:
        PATHS.benchmark("sample_pool", "pool")
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(pool_memory),
        runtime=by_attempt(60),
    params:
        settings=settings_of("sample_pool"),
        code=lambda wildcards: code_of(
            "sample_pool", *WIRING.reader_code(EXPERIMENT.pools[wildcards.pool])
        ),
    message:
        "Sampling pool {wildcards.pool}"
    script:
        "../scripts/sample_pool.py"


rule sample_target:
    input:
        manifest=lambda wildcards: WIRING.manifest_of("benchmark", wildcards.target),
    output:
        validation=PATHS.validation,
        evaluation=PATHS.evaluation_rows,
        summary=PATHS.target_summary,
    log:
        PATHS.log("sample_target", "target"),
    benchmark:
        PATHS.benchmark("sample_target", "target")
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(2000),
        runtime=by_attempt(30),
    params:
        settings=settings_of("sample_target"),
        code=lambda wildcards: code_of(
            "sample_target",
            *WIRING.reader_code(EXPERIMENT.benchmarks[wildcards.target]),
        ),
    message:
        "Sampling validation and evaluation rows of {wildcards.target}"
    script:
        "../scripts/sample_target.py"


rule check_overlap:
    input:
        evaluation=PATHS.evaluation_rows,
        validation=PATHS.validation,
        pool=PATHS.pool,
        sampled_target=PATHS.target_summary,
        sampled_pool=PATHS.pool_summary,
    output:
        summary=PATHS.overlap,
    log:
        PATHS.log("check_overlap", "target", "pool"),
    benchmark:
        PATHS.benchmark("check_overlap", "target", "pool")
    # Before anything is computed for a comparison that would not count.
    priority: 100
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(pool_memory),
        runtime=by_attempt(30),
    params:
        settings=settings_of("check_overlap"),
        code=code_of("check_overlap"),
    message:
        "Looking for evaluation rows of {wildcards.target} in its validation rows and in {wildcards.pool}"
    script:
        "../scripts/check_overlap.py"
