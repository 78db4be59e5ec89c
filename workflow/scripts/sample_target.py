from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import example, files, provenance
    from instruction_selection.data import sampling
    from instruction_selection.data.left_out import LeftOut

    settings = snakemake.params.settings
    target, sizes, seeds = settings["benchmark"], settings["target_size"], settings["settings"]
    manifest = files.optional(snakemake.input, "manifest")
    summary = {"target": snakemake.wildcards.target}
    wanted = {split: sizes[f"{split}_rows"] for split in ("validation", "evaluation") if sizes[f"{split}_rows"]}
    counts = {split: None if rows == "all" else rows for split, rows in wanted.items()}
    if "evaluation" not in counts:
        files.write_jsonl(snakemake.output.evaluation, [])
    skipped = {split: LeftOut() for split in counts}
    sampled_splits = sampling.of_benchmark(
        target,
        manifest,
        counts,
        seeds["data_seed"],
        skipped,
        seeds["evaluation_seed"],
        name=snakemake.wildcards.target,
    )
    for split, sampled in sampled_splits.items():
        files.write_jsonl(snakemake.output[split], sampled)
        summary[split] = {
            "rows": len(sampled),
            "tasks": example.counts(sampled),
            "left_out": skipped[split].summary(),
            "sha256": files.sha256(snakemake.output[split]),
        }
    summary["files"] = files.read_json(manifest) if manifest else {}
    summary["provenance"] = provenance.record({}, settings, snakemake.params.code, ("reasoning-gym",))
    files.write_json(snakemake.output.summary, summary)
