from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files
    from instruction_selection.experiment import published
    from instruction_selection.tables import figure, lineage, panels, render, results
    from instruction_selection.tables.cells import CellFiles, EvaluatedCell, PoolSummary
    from instruction_selection.tables.spec import TableSpec

    params, output = snakemake.params, snakemake.output
    spec = TableSpec.parse(plan=params.plan, benchmarks=params.benchmarks, methods=params.methods, models=params.models)
    lineage.check(params.execution, params.accepted_code)
    cells = []
    for names, *paths in params.cells:
        found = CellFiles(*paths)
        cells.append(EvaluatedCell.read(names, found, spec.benchmark(names["benchmark"]).metrics))
    pools = dict(map(PoolSummary.read, snakemake.input.pools))
    reported = published.read(spec.plan.reported) if spec.plan.reported else {}
    rows = results.collect(cells, spec, pools, reported)
    files.write_text(output.markdown, render.to_markdown(rows, spec))
    files.write_text(output.tex, render.to_tex(rows, spec, snakemake.wildcards.table))
    files.write_text(output.csv, results.to_csv(rows, spec))
    if spec.plan.kind == "target":
        figure.draw(rows, spec.benchmark(spec.plan.targets[0]), output.svg, output.png)
    else:
        panels.draw(rows, spec, output.svg, output.png)
