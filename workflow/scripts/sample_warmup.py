from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files
    from instruction_selection.data import sampling

    sampled = sampling.of_warmup(snakemake.input.pool, snakemake.params.rows, snakemake.params.seed)
    files.write_jsonl(snakemake.output.rows, sampled)
