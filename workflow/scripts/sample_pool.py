from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import example, files, provenance
    from instruction_selection.data import sampling
    from instruction_selection.data.left_out import LeftOut

    pool, seed = snakemake.params.pool, snakemake.params.seed
    manifest = files.optional(snakemake.input, "manifest")
    skipped = LeftOut()
    files.write_jsonl(snakemake.output.rows, sampling.of_pool(pool, manifest, snakemake.params.rows, seed, skipped))
    # From the file, because the pool may be larger than memory.
    tasks = example.counts(files.iterate_jsonl(snakemake.output.rows))
    files.write_json(
        snakemake.output.summary,
        {
            "pool": snakemake.wildcards.pool,
            "rows": sum(tasks.values()),
            "tasks": tasks,
            "left_out": skipped.summary(),
            "sha256": files.sha256(snakemake.output.rows),
            "license": pool["license"],
            "files": files.read_json(manifest) if manifest else {},
            "provenance": provenance.record({}, {"pool": pool, "seed": seed}, ("reasoning-gym",)),
        },
    )
