rule select_rows:
    input:
        unpack(selection_inputs),
        pool=PATHS.pool,
    output:
        rows=PATHS.selected,
        summary=PATHS.selection,
    log:
        PATHS.log("select_rows", "model", "pool", "target", "method", "ratio", "seed"),
    benchmark:
        PATHS.benchmark(
            "select_rows", "model", "pool", "target", "method", "ratio", "seed"
        )
    conda:
        "../../envs/selection.yaml"
    threads: SETTINGS["threads"]["selection"]
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        features=feature_files,
        arguments=lambda wildcards: method_of(wildcards)["params"],
        # Snakemake does not see edits of the library; this makes an edited method run again, and no other.
        source=lambda wildcards: provenance.source_hash(
            f"instruction_selection.methods.{configuration.method_module(wildcards.method)}"
        ),
    message:
        "Selecting {wildcards.ratio} of {wildcards.pool} with {wildcards.method} for {wildcards.target}"
    script:
        "../scripts/select_rows.py"
