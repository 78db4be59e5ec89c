rule table:
    input:
        unpack(WIRING.table_inputs),
        lineage=lambda wildcards: Chain(WIRING, wildcards.table).files(),
    output:
        markdown=PATHS.table.replace("{format}", "md"),
        tex=PATHS.table.replace("{format}", "tex"),
        csv=report(
            PATHS.table.replace("{format}", "csv"),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        svg=report(
            PATHS.figure.replace("{format}", "svg"),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{table}"},
        ),
        png=PATHS.figure.replace("{format}", "png"),
    log:
        PATHS.log("table", "table"),
    benchmark:
        PATHS.benchmark("table", "table")
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        **WIRING.shown_entries(),
        cells=lambda wildcards: WIRING.table_cells(wildcards.table),
        plan=lambda wildcards: EXPERIMENT.tables[wildcards.table].plain(),
        accepted_code=list(SETTINGS.accepted_code),
        code=code_of("table"),
        execution=execution(lambda wildcards: Chain(WIRING, wildcards.table).results()),
    message:
        "Table and figure {wildcards.table}"
    script:
        "../scripts/table.py"


rule shared_rows:
    input:
        selected=lambda wildcards: sorted(
            {
                path
                for _, *paths in COMPARED.of_target(wildcards.target)
                for path in paths
            }
        ),
    output:
        csv=report(
            PATHS.shared_rows,
            caption="../report/shared_rows.rst",
            category="Tables",
            labels={"table": "{target}, rows in common"},
        ),
    log:
        PATHS.log("shared_rows", "target"),
    benchmark:
        PATHS.benchmark("shared_rows", "target")
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cells=lambda wildcards: COMPARED.of_target(wildcards.target),
        code=code_of("shared_rows"),
    message:
        "Rows that the selections for {wildcards.target} have in common"
    script:
        "../scripts/shared_rows.py"


rule report:
    input:
        tables=expand(PATHS.table, table=EXPERIMENT.tables, format="md"),
        figures=expand(PATHS.figure, table=EXPERIMENT.tables, format="svg"),
        numbers=expand(PATHS.table, table=EXPERIMENT.tables, format="csv"),
        samples=wiring.unique(
            samples
            for table in EXPERIMENT.tables
            for _, _, samples, *_ in WIRING.table_cells(table)
        ),
        warmups=list(COMPARED.warmup_logs().values()),
        shared=expand(PATHS.shared_rows, target=grid.targets(EXPERIMENT)),
        selected=[PATHS.selected.format(**cell) for cell in COMPARED.wildcards()],
        selections=[PATHS.selection.format(**cell) for cell in COMPARED.wildcards()],
        pages=[PATHS.selection_page.format(**cell) for cell in COMPARED.wildcards()],
        pools=expand(PATHS.pool, pool=EXPERIMENT.pools),
        sampled=expand(PATHS.pool_summary, pool=EXPERIMENT.pools),
        lineage=Chain(WIRING, *EXPERIMENT.tables).files(),
    output:
        report=report(
            PATHS.report,
            caption="../report/report.rst",
            category="Report",
            labels={"page": "what was found"},
        ),
    log:
        PATHS.log("report"),
    benchmark:
        PATHS.benchmark("report")
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        tables=list(EXPERIMENT.tables),
        targets=grid.targets(EXPERIMENT),
        selections=COMPARED.wildcards(),
        benchmarks=str(Path(PATHS.benchmark("report")).parent),
        settings=EXPERIMENT.described(),
        execution=execution(
            lambda wildcards: {
                "experiment": EXPERIMENT.resolved(),
                "lineage": Chain(WIRING, *EXPERIMENT.tables).results(),
            }
        ),
        code=code_of("report"),
    message:
        "Writing the report"
    script:
        "../scripts/report.py"
