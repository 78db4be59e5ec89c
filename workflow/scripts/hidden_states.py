from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import recorded
    from instruction_selection.features import hidden_states

    recorded.check(snakemake.input.rows, snakemake.input.sampled)
    hidden_states.write(
        snakemake.output.store,
        snakemake.input.rows,
        model=snakemake.input.model,
        template=snakemake.params.template,
        cutoff_len=snakemake.params.cutoff_len,
        batch_tokens=snakemake.params.batch_tokens,
    )
