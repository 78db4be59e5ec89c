from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection import files, provenance, selection

    parameters = {
        "ratio": float(snakemake.wildcards.ratio),
        "seed": int(snakemake.wildcards.seed),
        "params": snakemake.params.arguments,
    }
    chosen, summary = selection.select(
        snakemake.wildcards.method,
        implementation=snakemake.params.implementation,
        pool_path=snakemake.input.pool,
        validation_path=snakemake.input.get("validation"),
        feature_paths=snakemake.params.features,
        **parameters,
    )
    rows = {name: path for name, path in snakemake.input.items() if name in ("pool", "validation")}
    summary["provenance"] = provenance.record(
        rows, {**parameters, "source": snakemake.params.source}, ("numpy", "scikit-learn", "scipy", "h5py")
    )
    files.write_jsonl(snakemake.output.rows, chosen)
    files.write_json(snakemake.output.summary, summary)
