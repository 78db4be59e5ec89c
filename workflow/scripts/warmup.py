from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    import shutil
    from pathlib import Path

    from instruction_selection.finetuning import training

    folder = Path(snakemake.output.adapter).with_name("training")
    output = training.train(
        snakemake.input.rows,
        snakemake.input.model,
        snakemake.params.template,
        snakemake.params.cutoff_len,
        snakemake.params.training,
        snakemake.params.seed,
        folder,
    )
    # Now, and not before: while training runs, this process should be small.
    from instruction_selection.gradients import moments, parameters

    named_shapes = parameters.shapes(snakemake.input.model, output)
    moments.write(moments.from_checkpoint(training.final_checkpoint(output), named_shapes), snakemake.output.moments)
    shutil.copy2(output / "trainer_log.jsonl", snakemake.output.log)
    training.keep_weights(output, snakemake.output.adapter)
    shutil.rmtree(folder)
