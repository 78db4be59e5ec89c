from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import shutil
    from pathlib import Path

    from instruction_selection.core import files, provenance, recorded
    from instruction_selection.models import checksummed_folder
    from instruction_selection.training import checkpoints, llamafactory

    recorded.check(snakemake.input.rows, snakemake.input.selection)
    folder = Path(snakemake.output.adapter).with_name("training")
    settings, seed = snakemake.params.settings, int(snakemake.wildcards.seed)
    output = llamafactory.train(
        snakemake.input.rows,
        snakemake.input.model,
        template=settings["model"]["template"],
        cutoff_len=settings["settings"]["cutoff_len"],
        arguments={**settings["finetune_training"], **snakemake.params.execution},
        seed=seed,
        folder=folder,
        processes=max(1, snakemake.resources.gpu),
        nodes=snakemake.resources.nodes,
    )
    checkpoints.keep_weights(output, snakemake.output.adapter)
    record = provenance.record(
        {"rows": snakemake.input.rows}, {**settings, "seed": seed}, snakemake.params.code, llamafactory.PACKAGES
    )
    record["inputs"]["model"] = checksummed_folder.model_record(snakemake.input.model)
    files.write_json(
        snakemake.output.summary,
        {
            "adapter": checksummed_folder.identity(snakemake.output.adapter),
            "results": {**files.read_json(output / "train_results.json"), "train_loss": checkpoints.mean_loss(output)},
            "provenance": record,
        },
    )
    shutil.rmtree(folder)
