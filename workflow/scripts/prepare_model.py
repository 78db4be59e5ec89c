from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files
    from instruction_selection.models.prepare import prepare

    manifest = files.optional(snakemake.input, "manifest")
    prepare(
        snakemake.params.settings["model"],
        snakemake.output.folder,
        manifest,
        adapted_layers=snakemake.params.execution,
        code=snakemake.params.code,
    )
