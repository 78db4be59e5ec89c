from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import shutil
    from pathlib import Path

    from instruction_selection.core import files, provenance
    from instruction_selection.training import checkpoints, llamafactory

    folder = Path(snakemake.output.adapter).with_name("training")
    seed = int(snakemake.wildcards.seed)
    output = llamafactory.train(
        snakemake.input.rows,
        snakemake.input.model,
        snakemake.params.template,
        snakemake.params.cutoff_len,
        snakemake.params.training,
        seed,
        folder,
        max(1, snakemake.resources.gpu),
        snakemake.resources.nodes,
    )
    checkpoints.keep_weights(output, snakemake.output.adapter)
    files.write_json(
        snakemake.output.summary,
        {
            "adapter": files.sha256(snakemake.output.adapter),
            "results": {**files.read_json(output / "train_results.json"), "train_loss": checkpoints.mean_loss(output)},
            "provenance": provenance.record(
                {"rows": snakemake.input.rows},
                {"training": snakemake.params.training, "seed": seed},
                ("llamafactory", "transformers", "peft", "torch"),
            ),
        },
    )
    shutil.rmtree(folder)
