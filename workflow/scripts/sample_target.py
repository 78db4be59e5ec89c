from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import example, files, provenance
    from instruction_selection.data import sampling
    from instruction_selection.data.left_out import LeftOut

    target, seed = snakemake.params.target, snakemake.params.seed
    manifest = files.optional(snakemake.input, "manifest")
    summary = {"target": snakemake.wildcards.target, "license": target["license"]}
    counts = {split: snakemake.params.rows[f"{split}_rows"] for split in ("validation", "evaluation")}
    skipped = {split: LeftOut() for split in counts}
    for split, sampled in sampling.of_benchmark(target, manifest, counts, seed, skipped).items():
        files.write_jsonl(snakemake.output[split], sampled)
        summary[split] = {
            "rows": len(sampled),
            "tasks": example.counts(sampled),
            "left_out": skipped[split].summary(),
            "sha256": files.sha256(snakemake.output[split]),
        }
    summary["files"] = files.read_json(manifest) if manifest else {}
    summary["provenance"] = provenance.record({}, {"target": target, "seed": seed}, ("reasoning-gym",))
    files.write_json(snakemake.output.summary, summary)
