rule table:
    input:
        unpack(table_inputs),
    output:
        markdown=PATHS.table.replace("{format}", "md"),
        csv=PATHS.table.replace("{format}", "csv"),
        svg=PATHS.figure.replace("{format}", "svg"),
        png=PATHS.figure.replace("{format}", "png"),
    log:
        PATHS.log("table", "target"),
    benchmark:
        PATHS.benchmark("table", "target")
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cells=lambda wildcards: [
            (cell.wildcards(), evaluation, selection)
            for cell, evaluation, selection in table_cells(wildcards.target)
        ],
        benchmark=lambda wildcards: EXPERIMENT.benchmarks[wildcards.target],
        methods=EXPERIMENT.methods,
        models=EXPERIMENT.models,
    message:
        "Table and figure of {wildcards.target}"
    script:
        "../scripts/table.py"


rule shared_rows:
    input:
        selected=lambda wildcards: sorted(
            {path for _, path in selections_of(wildcards.target)}
        ),
    output:
        csv=PATHS.shared_rows,
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
        cells=lambda wildcards: selections_of(wildcards.target),
    message:
        "Rows that the selections for {wildcards.target} have in common"
    script:
        "../scripts/shared_rows.py"


rule report:
    input:
        tables=expand(PATHS.table, target=EXPERIMENT.benchmarks, format="md"),
        figures=expand(PATHS.figure, target=EXPERIMENT.benchmarks, format="svg"),
    output:
        report=PATHS.report,
    log:
        PATHS.log("report"),
    benchmark:
        PATHS.benchmark("report")
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        targets=list(EXPERIMENT.benchmarks),
        experiment=EXPERIMENT.resolved(),
    message:
        "Writing the report"
    script:
        "../scripts/report.py"
