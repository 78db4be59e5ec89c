from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection import files, provenance, rows

    target, seed = snakemake.params.target, snakemake.params.seed
    summary = {"target": snakemake.wildcards.target, "license": target["license"]}
    for split in ("validation", "evaluation"):
        sampled = rows.sample(target["reader"], target["tasks"], split, snakemake.params.rows[f"{split}_rows"], seed)
        files.write_jsonl(snakemake.output[split], sampled)
        summary[split] = {
            "rows": len(sampled),
            "tasks": rows.counts(sampled),
            "sha256": files.sha256(snakemake.output[split]),
        }
    summary["provenance"] = provenance.record({}, {"target": target, "seed": seed}, ("reasoning-gym",))
    files.write_json(snakemake.output.summary, summary)
