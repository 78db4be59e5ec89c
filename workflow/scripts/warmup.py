from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import shutil
    from pathlib import Path

    from instruction_selection.core import files, provenance, recorded
    from instruction_selection.training import checkpoints, llamafactory

    recorded.check(snakemake.input.rows, snakemake.input.sampled)
    settings = snakemake.params.settings
    folder = Path(snakemake.output.log).with_name("training")
    output = llamafactory.train(
        snakemake.input.rows,
        snakemake.input.model,
        template=settings["model"]["template"],
        cutoff_len=settings["settings"]["cutoff_len"],
        arguments={**settings["warmup_training"], **snakemake.params.execution},
        seed=settings["settings"]["data_seed"],
        folder=folder,
        processes=max(1, snakemake.resources.gpu),
        nodes=snakemake.resources.nodes,
        checkpoints=len(snakemake.output.adapters),
    )
    # Imported only now, so that this process is small while training runs.
    from instruction_selection.features.gradients import moments, parameters
    from instruction_selection.models import checksummed_folder

    named_shapes = parameters.shapes(snakemake.input.model, output)
    kept = checkpoints.find(output)
    entries = checkpoints.describe(kept)
    outputs = zip(snakemake.output.adapters, snakemake.output.moments, strict=True)
    for checkpoint, entry, (adapter, path) in zip(kept, entries, outputs, strict=True):
        states = moments.from_checkpoint(checkpoint, named_shapes)
        moments.write(states, path)
        checkpoints.keep_weights(checkpoint, adapter)
        entry |= {
            "second_moments_below_epsilon": moments.share_below_epsilon(states),
            "model": checksummed_folder.identity(snakemake.input.model),
            "adapter": checksummed_folder.identity(adapter),
        }
    record = provenance.record({"rows": snakemake.input.rows}, settings, snakemake.params.code, llamafactory.PACKAGES)
    record["inputs"]["model"] = checksummed_folder.model_record(snakemake.input.model)
    files.write_json(snakemake.output.checkpoints, {"checkpoints": entries, "provenance": record})
    shutil.copy2(output / "trainer_log.jsonl", snakemake.output.log)
    shutil.rmtree(folder)
