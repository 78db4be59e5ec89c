from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files
    from instruction_selection.core.errors import InputError
    from instruction_selection.models.prepare import prepare

    manifest = files.optional(snakemake.input, "manifest")
    try:
        prepare(
            snakemake.params.settings["model"],
            snakemake.output.folder,
            manifest,
            adapted_layers=snakemake.params.execution,
            code=snakemake.params.code,
        )
    except InputError as error:
        # Only the tokenizer shows whether a template fits.
        raise error.in_file(f"config/models/{snakemake.wildcards.model}.yaml") from None
