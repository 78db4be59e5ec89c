from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.gradients import store

    store.gather(snakemake.input.shards, snakemake.output.store, snakemake.params.rows)
