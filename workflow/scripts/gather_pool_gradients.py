from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.features.gradients import store

    rows = snakemake.params.settings["pool_size"]["rows"]
    store.gather(snakemake.input.shards, snakemake.output.store, rows if rows != "all" else None)
