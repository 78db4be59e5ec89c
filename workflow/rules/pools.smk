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
        experiment=EXPERIMENT.resolved(),
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
        pool=lambda wildcards: EXPERIMENT.pools[wildcards.pool].plain(
            "license", "reader", "tasks", "rows"
        ),
        rows=lambda wildcards: SETTINGS.pools[wildcards.pool].rows,
        seed=SETTINGS.data_seed,
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
        target=lambda wildcards: EXPERIMENT.benchmarks[wildcards.target].plain(
            "license", "reader", "tasks", "validation", "evaluation", "shared_source"
        ),
        rows=lambda wildcards: SETTINGS.targets[wildcards.target].plain(
            "validation_rows", "evaluation_rows"
        ),
        seed=SETTINGS.data_seed,
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
        refuse=lambda wildcards: SETTINGS.targets[wildcards.target].overlap == "refuse",
        source=provenance.source_hash("instruction_selection.data.overlap"),
    message:
        "Looking for evaluation rows of {wildcards.target} in its validation rows and in {wildcards.pool}"
    script:
        "../scripts/check_overlap.py"
