from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import example, files, provenance
    from instruction_selection.data import sampling
    from instruction_selection.data.left_out import LeftOut

    settings = snakemake.params.settings
    pool, rows, seed = settings["pool"], settings["pool_size"]["rows"], settings["settings"]["data_seed"]
    name, count = snakemake.wildcards.pool, None if rows == "all" else rows
    manifest = files.optional(snakemake.input, "manifest")
    skipped = LeftOut()
    files.write_jsonl(snakemake.output.rows, sampling.of_pool(pool, manifest, count, seed, skipped, name))
    # From the file, because the pool may be larger than memory.
    tasks = example.counts(files.iterate_jsonl(snakemake.output.rows))
    files.write_json(
        snakemake.output.summary,
        {
            "pool": name,
            "rows": sum(tasks.values()),
            "tasks": tasks,
            "left_out": skipped.summary(),
            "sha256": files.sha256(snakemake.output.rows),
            "files": files.read_json(manifest) if manifest else {},
            "provenance": provenance.record({}, settings, snakemake.params.code, ("reasoning-gym",)),
        },
    )
