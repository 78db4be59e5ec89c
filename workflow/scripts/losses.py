from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import batch_tokens, recorded
    from instruction_selection.features import losses

    recorded.check(snakemake.input.rows, snakemake.input.sampled)
    settings = snakemake.params.settings
    losses.write(
        snakemake.output.store,
        snakemake.input.rows,
        model=snakemake.input.model,
        template=settings["model"]["template"],
        cutoff_len=settings["settings"]["cutoff_len"],
        batch_tokens=batch_tokens.of_model(**snakemake.params.execution["batches"], model=snakemake.wildcards.model),
        code=snakemake.params.code,
        gpus=snakemake.params.execution["gpus"],
    )
