from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import example, files, provenance
    from instruction_selection.data import sampling

    settings = snakemake.params.settings
    target, sizes, seed = settings["benchmark"], settings["target_size"], settings["settings"]["data_seed"]
    manifest = files.optional(snakemake.input, "manifest")
    summary = {"target": snakemake.wildcards.target}
    counts = {split: sizes[f"{split}_rows"] for split in ("validation", "evaluation")}
    for split, sampled in sampling.of_benchmark(target, manifest, counts, seed).items():
        files.write_jsonl(snakemake.output[split], sampled)
        summary[split] = {
            "rows": len(sampled),
            "tasks": example.counts(sampled),
            "sha256": files.sha256(snakemake.output[split]),
        }
    summary["files"] = files.read_json(manifest) if manifest else {}
    summary["provenance"] = provenance.record({}, settings, snakemake.params.code, ("reasoning-gym",))
    files.write_json(snakemake.output.summary, summary)
