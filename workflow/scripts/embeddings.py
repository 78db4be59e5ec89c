from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection import encoders

    manifest = next(iter(snakemake.input.get("manifest", [])), None)
    encoders.write(snakemake.output.store, snakemake.input.rows, snakemake.params.encoder, manifest)
