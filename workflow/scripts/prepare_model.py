from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.models.prepare import prepare

    manifest = next(iter(snakemake.input.get("manifest", [])), None)
    prepare(snakemake.params.model, snakemake.output.folder, manifest)
