from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from pathlib import Path

    from instruction_selection.core import files, provenance
    from instruction_selection.experiment.experiment import Experiment
    from instruction_selection.experiment.grid import Cell
    from instruction_selection.tables import chosen, lineage, report, shared_rows, stages

    params, inputs = snakemake.params, snakemake.input
    experiment = Experiment.model_validate(params.execution["experiment"])
    lineage.check(params.execution["lineage"], experiment.settings.accepted_code)
    tables = [
        report.ShownTable(name, Path(table).read_text(encoding="utf-8"), Path(figure).read_text(encoding="utf-8"))
        for name, table, figure in zip(params.tables, inputs.tables, inputs.figures, strict=True)
    ]
    selections = [
        chosen.SelectionFiles(Cell.of(names), examples, summary)
        for names, examples, summary in zip(params.selections, inputs.selected, inputs.selections, strict=True)
    ]
    page = report.Report(
        experiment=experiment.folder,
        summary=experiment.settings.summary,
        settings=params.settings,
        tables=tables,
        selections=chosen.sections(
            selections,
            pools=dict(zip(experiment.pools, inputs.pools, strict=True)),
            methods={name: method.label for name, method in experiment.methods.items()},
        ),
        overlaps={
            target: chosen.overlap(shared_rows.read(path))
            for target, path in zip(params.targets, inputs.shared, strict=True)
        },
        stages=stages.build(params.benchmarks, experiment.settings),
        versions=provenance.versions(
            "snakemake", "torch", "transformers", "peft", "llamafactory", "lm_eval", "sentence-transformers"
        ),
        git_commit=provenance.git_commit(),
    )
    files.write_text(snakemake.output.report, report.render(page))
