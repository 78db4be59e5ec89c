from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from pathlib import Path

    from instruction_selection.core import recorded
    from instruction_selection.cost import resources
    from instruction_selection.features import products
    from instruction_selection.selection.job import Job, checkpoint_files, execute

    recorded.check(snakemake.input.pool, snakemake.input.sampled)
    targets = zip(snakemake.input.get("validation", []), snakemake.input.get("sampled_targets", []), strict=True)
    for rows, sampled in targets:
        recorded.check(rows, sampled)
    job = Job(
        method=snakemake.wildcards.method,
        implementation=snakemake.params.implementation,
        ratio=float(snakemake.wildcards.ratio),
        seed=int(snakemake.wildcards.seed),
        params=snakemake.params.settings["method"]["params"],
        pool=snakemake.input.pool,
        validation=snakemake.input.get("validation", []),
        features=snakemake.params.features,
        checkpoints=checkpoint_files(snakemake.params.checkpoints, snakemake.input.get("checkpoints")),
        made_with=snakemake.params.made_with,
        sized_like=snakemake.input.get("sized_like"),
        chosen=snakemake.input.get("chosen"),
        memory_mib=resources.method_mib(snakemake.resources.mem_mb, snakemake.resources.index_mb),
        device=products.visible_gpu() if snakemake.resources.gpu else None,
    )
    execute(job, Path(snakemake.output.rows).parent, snakemake.params.code)
