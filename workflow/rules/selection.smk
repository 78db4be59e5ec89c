rule select_rows:
    input:
        unpack(WIRING.selection_inputs),
        pool=PATHS.pool,
        sampled=PATHS.pool_summary,
    output:
        rows=PATHS.selected,
        summary=PATHS.selection,
        scores=PATHS.scores,
        dataset=PATHS.selected_dataset,
    log:
        PATHS.log("select_rows", "model", "pool", "target", "method", "ratio", "seed"),
    benchmark:
        PATHS.benchmark(
            "select_rows", "model", "pool", "target", "method", "ratio", "seed"
        )
    # As in fine-tuning, which waits for it: the largest first.
    priority: lambda wildcards: int(100 * float(wildcards.ratio))
    conda:
        "../../envs/selection.yaml"
    threads: SETTINGS.threads.selection
    resources:
        mem_mb=memory_of("select_rows"),
        runtime=runtime_of("select_rows"),
        gpu=selection_gpus,
        index_mb=pool_index_mb,
    params:
        settings=settings_of("select_rows"),
        features=WIRING.fixed_features,
        checkpoints=WIRING.checkpoint_features,
        reading=lambda wildcards: decides.features(WIRING.method_of(wildcards).needs),
        made_with=WIRING.features_made_with,
        implementation=WIRING.implementation_of,
        code=selecting_code,
    message:
        "Selecting {wildcards.ratio} of {wildcards.pool} with {wildcards.method} for {wildcards.target}"
    script:
        "../scripts/select_rows.py"


# Why these rows: beside each selection, for a reader.
rule selection_page:
    input:
        unpack(WIRING.method_inputs),
        pool=PATHS.pool,
        sampled=PATHS.pool_summary,
        rows=PATHS.selected,
        summary=PATHS.selection,
        scores=PATHS.scores,
    output:
        page=report(
            PATHS.selection_page,
            caption="../report/selection.rst",
            category="Selections",
            labels={
                "method": "{method}",
                "target": "{target}",
                "pool": "{pool}",
                "model": "{model}",
                "ratio": "{ratio}",
                "seed": "{seed}",
            },
        ),
    log:
        PATHS.log(
            "selection_page", "model", "pool", "target", "method", "ratio", "seed"
        ),
    benchmark:
        PATHS.benchmark(
            "selection_page", "model", "pool", "target", "method", "ratio", "seed"
        )
    conda:
        "../../envs/selection.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(page_memory),
        runtime=by_attempt(60),
    params:
        features=WIRING.fixed_features,
        checkpoints=WIRING.checkpoint_features,
        heading=COMPARED.page_heading,
        code=code_of("selection_page"),
    message:
        "Why {wildcards.method} selected these rows of {wildcards.pool} for {wildcards.target}"
    script:
        "../scripts/selection_page.py"
