from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import yaml

    from instruction_selection.core import files

    files.write_text(snakemake.output.config, yaml.safe_dump(snakemake.params.execution, sort_keys=False))
