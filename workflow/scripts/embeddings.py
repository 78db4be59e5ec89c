from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files
    from instruction_selection.features import embeddings

    embeddings.write(
        snakemake.output.store,
        snakemake.input.rows,
        snakemake.params.encoder,
        manifest=files.optional(snakemake.input, "manifest"),
    )
