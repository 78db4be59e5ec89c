from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection import files
    from instruction_selection.evaluation import harness

    files.write_text(
        snakemake.output.task,
        harness.task(snakemake.wildcards.benchmark, snakemake.params.harness, snakemake.input.rows),
    )
