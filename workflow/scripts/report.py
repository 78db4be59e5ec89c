from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from pathlib import Path

    from instruction_selection import files, provenance
    from instruction_selection.tables import report

    tables = snakemake.params.tables
    experiment = snakemake.params.experiment
    files.write_text(
        snakemake.output.report,
        report.render(
            experiment["name"],
            experiment["settings"]["summary"],
            experiment,
            {
                table: Path(path).read_text(encoding="utf-8")
                for table, path in zip(tables, snakemake.input.tables, strict=True)
            },
            dict(zip(tables, snakemake.input.figures, strict=True)),
            provenance.versions(
                "snakemake", "torch", "transformers", "peft", "llamafactory", "lm_eval", "sentence-transformers"
            ),
            provenance.git_commit(),
        ),
    )
