from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection import models

    manifest = next(iter(snakemake.input.get("manifest", [])), None)
    models.prepare(snakemake.params.model, snakemake.output.folder, manifest)
