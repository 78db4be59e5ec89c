from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.features import embeddings

    manifest = next(iter(snakemake.input.get("manifest", [])), None)
    embeddings.write(snakemake.output.store, snakemake.input.rows, snakemake.params.encoder, manifest)
