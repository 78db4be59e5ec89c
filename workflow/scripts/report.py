from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from pathlib import Path

    from instruction_selection import files, provenance
    from instruction_selection.tables import report

    targets = snakemake.params.targets
    experiment = snakemake.params.experiment
    files.write_text(
        snakemake.output.report,
        report.render(
            experiment["name"],
            experiment["settings"]["summary"],
            experiment,
            {
                target: Path(path).read_text(encoding="utf-8")
                for target, path in zip(targets, snakemake.input.tables, strict=True)
            },
            dict(zip(targets, snakemake.input.figures, strict=True)),
            provenance.versions(
                "snakemake", "torch", "transformers", "peft", "llamafactory", "lm_eval", "sentence-transformers"
            ),
            provenance.git_commit(),
        ),
    )
