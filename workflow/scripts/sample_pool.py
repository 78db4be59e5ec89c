from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from collections import Counter

    from instruction_selection.core import files, provenance
    from instruction_selection.data import sampling

    pool, seed = snakemake.params.pool, snakemake.params.seed
    manifest = next(iter(snakemake.input.get("manifest", [])), None)
    tasks = Counter()

    def counted(drawn):
        for row in drawn:
            tasks[row["task"]] += 1
            yield row

    files.write_jsonl(snakemake.output.rows, counted(sampling.of_pool(pool, manifest, snakemake.params.rows, seed)))
    files.write_json(
        snakemake.output.summary,
        {
            "pool": snakemake.wildcards.pool,
            "rows": tasks.total(),
            "tasks": dict(sorted(tasks.items())),
            "sha256": files.sha256(snakemake.output.rows),
            "license": pool["license"],
            "files": files.read_json(manifest) if manifest else {},
            "provenance": provenance.record({}, {"pool": pool, "seed": seed}, ("reasoning-gym",)),
        },
    )
