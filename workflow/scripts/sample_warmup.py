from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, provenance, recorded
    from instruction_selection.data import sampling

    recorded.check(snakemake.input.pool, snakemake.input.sampled)
    settings = snakemake.params.settings
    sampled = sampling.of_warmup(snakemake.input.pool, settings["warmup"]["rows"], settings["settings"]["data_seed"])
    files.write_jsonl(snakemake.output.rows, sampled)
    files.write_json(
        snakemake.output.summary,
        {
            "rows": files.count_lines(snakemake.output.rows),
            "sha256": files.sha256(snakemake.output.rows),
            "provenance": provenance.record({"pool": snakemake.input.pool}, settings, snakemake.params.code),
        },
    )
