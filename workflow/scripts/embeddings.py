from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, recorded
    from instruction_selection.features import embeddings

    recorded.check(snakemake.input.rows, snakemake.input.sampled)
    embeddings.write(
        snakemake.output.store,
        snakemake.input.rows,
        snakemake.params.settings["encoder"],
        batch_size=snakemake.params.execution["batch_size"],
        code=snakemake.params.code,
        manifest=files.optional(snakemake.input, "manifest"),
    )
