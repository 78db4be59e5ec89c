from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, recorded
    from instruction_selection.features import embeddings

    recorded.check(snakemake.input.rows, snakemake.input.sampled)
    embeddings.write(
        snakemake.output.store,
        snakemake.input.rows,
        snakemake.params.encoder,
        manifest=files.optional(snakemake.input, "manifest"),
    )
