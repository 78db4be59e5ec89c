from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from pathlib import Path

    from instruction_selection.core import files, provenance, recorded
    from instruction_selection.experiment import wiring
    from instruction_selection.experiment.compared import ComparedSelections
    from instruction_selection.experiment.experiment import Experiment
    from instruction_selection.experiment.grid import Cell
    from instruction_selection.tables import (
        chosen,
        findings,
        lineage,
        overview,
        report,
        results,
        shared_rows,
        stages,
    )
    from instruction_selection.tables.cells import CellFiles
    from instruction_selection.tables.spec import TableSpec

    params, inputs = snakemake.params, snakemake.input
    experiment = Experiment.model_validate(params.execution["experiment"])
    lineage.check(params.execution["lineage"], experiment.settings.accepted_code)
    for rows, summary in (
        *zip(inputs.selected, inputs.selections, strict=True),
        *zip(inputs.pools, inputs.sampled, strict=True),
    ):
        recorded.check(rows, summary)
    connected = wiring.Wiring(experiment)
    tables = []
    for name, markdown, svg, numbers in zip(params.tables, inputs.tables, inputs.figures, inputs.numbers, strict=True):
        spec = TableSpec.of(experiment, name)
        rows = results.from_csv(numbers)
        cells = [(names, CellFiles(*paths)) for names, *paths in connected.table_cells(name)]
        tables.append(
            report.ShownTable(
                name=name,
                label=spec.plan.label,
                findings=findings.of_table(rows, spec),
                differences=overview.differences(rows, spec),
                behind_scores=overview.behind_scores(rows, cells, spec) if spec.plan.kind == "target" else [],
                markdown=Path(markdown).read_text(encoding="utf-8"),
                figure=Path(svg).read_text(encoding="utf-8"),
            )
        )
    selections = [
        chosen.SelectionFiles(
            Cell.of(names), examples, summary, Path(page).relative_to(Path(snakemake.output.report).parent)
        )
        for names, examples, summary, page in zip(
            params.selections, inputs.selected, inputs.selections, inputs.pages, strict=True
        )
    ]
    pools = {name: chosen.Pool.read(path) for name, path in zip(experiment.pools, inputs.pools, strict=True)}
    labels = chosen.Labels(
        methods={name: method.label for name, method in experiment.methods.items()},
        models={name: model.label for name, model in experiment.models.items()},
    )
    page = report.Report(
        experiment=experiment.folder,
        summary=experiment.settings.summary,
        settings=params.settings,
        tables=tables,
        selections=chosen.sections(selections, pools, labels),
        tasks={target: chosen.tasks(target, selections, pools, labels) for target in params.targets},
        overlaps={
            target: chosen.overlap(shared_rows.read(path), labels)
            for target, path in zip(params.targets, inputs.shared, strict=True)
        },
        warmups=overview.loss_curves(ComparedSelections(experiment).warmup_logs()),
        stages=stages.build(params.benchmarks, experiment.settings, experiment.methods),
        versions=provenance.versions(
            "snakemake", "torch", "transformers", "peft", "llamafactory", "lm_eval", "sentence-transformers"
        ),
        git_commit=provenance.git_commit(),
    )
    files.write_text(snakemake.output.report, report.render(page))
