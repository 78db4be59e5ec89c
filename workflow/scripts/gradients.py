from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import batch_tokens, recorded, shards
    from instruction_selection.features.gradients import compute

    recorded.check(snakemake.input.rows, snakemake.input.sampled)
    settings, params, shard = snakemake.params.settings, snakemake.params, snakemake.wildcards.get("shard")
    compute.fill(
        snakemake.output.store,
        snakemake.input.rows,
        part=(int(shard or 0), params.get("shards", 1)),
        model=snakemake.input.model,
        adapter=snakemake.input.adapter,
        # Methods compare a pool's preconditioned gradients with a target's plain ones (LESS, section 4.1).
        kinds=settings["gradients"].get("pool_kinds", ["sgd"]),
        moments_path=snakemake.input.get("moments"),
        template=settings["model"]["template"],
        cutoff_len=settings["settings"]["cutoff_len"],
        settings={
            "projection": settings["gradients"]["projection"],
            "precision": settings["gradients"]["precision"],
            "batch_tokens": batch_tokens.of_model(**params.execution["batches"], model=snakemake.wildcards.model),
        },
        code=params.code,
        gpus=params.execution["gpus"],
    )
    if shard is not None:
        shards.record(snakemake.output.store, params.shards, params.execution["decided_by"])
