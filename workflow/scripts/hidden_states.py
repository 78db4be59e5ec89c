from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.features import hidden_states

    hidden_states.write(
        snakemake.output.store,
        snakemake.input.rows,
        snakemake.input.model,
        snakemake.params.template,
        snakemake.params.cutoff_len,
        snakemake.params.batch_tokens,
    )
