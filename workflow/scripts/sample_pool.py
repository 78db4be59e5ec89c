from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection import files, provenance, rows

    pool, seed = snakemake.params.pool, snakemake.params.seed
    sampled = rows.sample(pool["reader"], pool["tasks"], "pool", snakemake.params.rows, seed)
    files.write_jsonl(snakemake.output.rows, sampled)
    files.write_json(
        snakemake.output.summary,
        {
            "pool": snakemake.wildcards.pool,
            "rows": len(sampled),
            "tasks": rows.counts(sampled),
            "sha256": files.sha256(snakemake.output.rows),
            "license": pool["license"],
            "provenance": provenance.record({}, {"pool": pool, "seed": seed}, ("reasoning-gym",)),
        },
    )
