from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, recorded
    from instruction_selection.data import sampling

    recorded.check(snakemake.input.pool, snakemake.input.sampled)
    sampled = sampling.of_warmup(snakemake.input.pool, snakemake.params.rows, snakemake.params.seed)
    files.write_jsonl(snakemake.output.rows, sampled)
