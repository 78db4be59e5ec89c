from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import csv
    from pathlib import Path

    from instruction_selection.core import files, provenance
    from instruction_selection.experiment.settings import Settings
    from instruction_selection.tables import chosen, report, stages

    experiment = snakemake.params.execution
    pairs = zip(snakemake.params.tables, snakemake.input.tables, strict=True)
    tables = {table: Path(path).read_text(encoding="utf-8") for table, path in pairs}
    shared = {}
    for target, path in zip(snakemake.params.targets, snakemake.input.shared, strict=True):
        with Path(path).open(encoding="utf-8") as handle:
            shared[target] = chosen.overlap(list(csv.DictReader(handle)))
    inputs = snakemake.input
    cells = list(zip(snakemake.params.selections, inputs.selected, inputs.selections, strict=True))
    pools = dict(zip(experiment["pools"], snakemake.input.pools, strict=True))
    files.write_text(
        snakemake.output.report,
        report.render(
            experiment["name"],
            experiment["settings"]["summary"],
            experiment,
            tables,
            dict(zip(tables, snakemake.input.figures, strict=True)),
            chosen.sections(cells, pools, experiment["methods"]),
            shared,
            stages.build(snakemake.params.benchmarks, Settings.model_validate(experiment["settings"])),
            provenance.versions(
                "snakemake", "torch", "transformers", "peft", "llamafactory", "lm_eval", "sentence-transformers"
            ),
            provenance.git_commit(),
        ),
    )
