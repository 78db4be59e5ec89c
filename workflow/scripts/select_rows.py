from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import json
    from pathlib import Path

    from instruction_selection.core import files, provenance
    from instruction_selection.cost import resources
    from instruction_selection.selection import job

    parameters = {
        "ratio": float(snakemake.wildcards.ratio),
        "seed": int(snakemake.wildcards.seed),
        "params": snakemake.params.arguments,
    }
    written = snakemake.input.get("checkpoints")
    checkpoints = json.loads(Path(written).read_text()) if written else [{}]
    read = len(snakemake.params.earlier) + 1
    made_with = [
        {**snakemake.params.made_with, **{key: entry[key] for key in ("model", "adapter") if key in entry}}
        for entry in checkpoints[-read:]
    ]
    chosen, summary = job.select(
        snakemake.wildcards.method,
        implementation=snakemake.params.implementation,
        pool_path=snakemake.input.pool,
        validation_paths=snakemake.input.get("validation", []),
        feature_paths=snakemake.params.features,
        earlier_feature_paths=snakemake.params.earlier,
        learning_rates=[entry.get("mean_learning_rate") for entry in checkpoints],
        memory_mb=resources.method_mib(snakemake.resources.mem_mb, snakemake.resources.text_mb),
        made_with=made_with,
        sized_like=snakemake.input.get("sized_like"),
        **parameters,
    )
    # A method that reads no gradients reads no checkpoint.
    for told, entry in zip(summary["checkpoints"], checkpoints[-read:] if written else [], strict=True):
        told |= {key: entry[key] for key in ("step", "mean_learning_rate", "second_moments_below_epsilon")}
    rows = {path: path for path in (snakemake.input.pool, *snakemake.input.get("validation", []))}
    summary["provenance"] = provenance.record(
        rows, {**parameters, "source": snakemake.params.source}, ("numpy", "scikit-learn", "scipy", "h5py", "numba")
    )
    files.write_jsonl(snakemake.output.rows, chosen)
    summary["sha256"] = files.sha256(snakemake.output.rows)
    files.write_json(snakemake.output.summary, summary)
