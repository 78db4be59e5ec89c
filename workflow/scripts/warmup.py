from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import shutil
    from pathlib import Path

    from instruction_selection.core import files
    from instruction_selection.training import checkpoints, llamafactory

    folder = Path(snakemake.output.log).with_name("training")
    wanted = len(snakemake.output.adapters)
    output = llamafactory.train(
        snakemake.input.rows,
        snakemake.input.model,
        snakemake.params.template,
        snakemake.params.cutoff_len,
        snakemake.params.training,
        snakemake.params.seed,
        folder,
        max(1, snakemake.resources.gpu),
        snakemake.resources.nodes,
        wanted,
    )
    # Now, and not before: while training runs, this process should be small.
    from instruction_selection.features.gradients import moments, parameters
    from instruction_selection.models.prepare import weights_id

    named_shapes = parameters.shapes(snakemake.input.model, output)
    kept = checkpoints.find(output)
    rates = checkpoints.mean_learning_rates(kept)
    below_epsilon = []
    for checkpoint, adapter, path in zip(kept, snakemake.output.adapters, snakemake.output.moments, strict=True):
        states = moments.from_checkpoint(checkpoint, named_shapes)
        moments.write(states, path)
        below_epsilon.append(moments.share_below_epsilon(states))
        checkpoints.keep_weights(checkpoint, adapter)
    files.write_json(
        snakemake.output.checkpoints,
        [
            {
                "step": int(path.name.rsplit("-", 1)[1]),
                "mean_learning_rate": rate,
                "second_moments_below_epsilon": share,
                "model": weights_id(snakemake.input.model),
                "adapter": files.sha256(adapter),
            }
            for path, rate, share, adapter in zip(kept, rates, below_epsilon, snakemake.output.adapters, strict=True)
        ],
    )
    shutil.copy2(output / "trainer_log.jsonl", snakemake.output.log)
    shutil.rmtree(folder)
