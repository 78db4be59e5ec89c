from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import shutil
    from pathlib import Path

    from instruction_selection.core import files, provenance
    from instruction_selection.models import sealed
    from instruction_selection.training import checkpoints, llamafactory

    folder = Path(snakemake.output.adapter).with_name("training")
    seed = int(snakemake.wildcards.seed)
    output = llamafactory.train(
        snakemake.input.rows,
        snakemake.input.model,
        template=snakemake.params.template,
        cutoff_len=snakemake.params.cutoff_len,
        arguments=snakemake.params.training,
        seed=seed,
        folder=folder,
        processes=max(1, snakemake.resources.gpu),
        nodes=snakemake.resources.nodes,
    )
    checkpoints.keep_weights(output, snakemake.output.adapter)
    files.write_json(
        snakemake.output.summary,
        {
            "model": sealed.identity(snakemake.input.model),
            "adapter": sealed.identity(snakemake.output.adapter),
            "results": {**files.read_json(output / "train_results.json"), "train_loss": checkpoints.mean_loss(output)},
            "provenance": provenance.record(
                {"rows": snakemake.input.rows},
                {"training": snakemake.params.training, "seed": seed},
                ("llamafactory", "transformers", "peft", "torch"),
            ),
        },
    )
    shutil.rmtree(folder)
