from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.features.gradients import compute

    compute.fill(
        snakemake.output.store,
        snakemake.input.rows,
        (0, 1),
        snakemake.input.model,
        snakemake.input.adapter,
        ["sgd"],
        None,
        snakemake.params.template,
        snakemake.params.cutoff_len,
        snakemake.params.settings,
    )
