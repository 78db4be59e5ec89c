from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import recorded
    from instruction_selection.features.gradients import compute

    recorded.check(snakemake.input.rows, snakemake.input.sampled)
    compute.fill(
        snakemake.output.store,
        snakemake.input.rows,
        part=(0, 1),
        model=snakemake.input.model,
        adapter=snakemake.input.adapter,
        kinds=["sgd"],
        moments_path=None,
        template=snakemake.params.template,
        cutoff_len=snakemake.params.cutoff_len,
        settings=snakemake.params.settings,
    )
