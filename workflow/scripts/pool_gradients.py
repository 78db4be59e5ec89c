from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.features.gradients import compute

    compute.fill(
        snakemake.output.store,
        snakemake.input.rows,
        (int(snakemake.wildcards.shard), snakemake.params.shards),
        snakemake.input.model,
        snakemake.input.adapter,
        snakemake.params.kinds,
        snakemake.input.moments,
        snakemake.params.template,
        snakemake.params.cutoff_len,
        snakemake.params.settings,
    )
