from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files
    from instruction_selection.experiment import published
    from instruction_selection.tables import figure, lineage, panels, render, results, samples

    plan, benchmarks, methods = snakemake.params.plan, snakemake.params.benchmarks, snakemake.params.methods
    for cell, evaluation, _, selection, training in snakemake.params.cells:
        lineage.refuse_mixture(
            {"evaluation": evaluation, "selection": selection, "training": training},
            snakemake.params.training,
            snakemake.params.evaluations[cell["benchmark"]],
        )
    cells = [
        {
            **cell,
            "evaluation": (summary := files.read_json(evaluation)),
            "results": samples.read(each, benchmarks[cell["benchmark"]]["metrics"], summary.get("samples_sha256")),
            "selection": files.read_json(selection) if selection else None,
        }
        for cell, evaluation, each, selection, _ in snakemake.params.cells
    ]
    pools = {summary["pool"]: summary for summary in map(files.read_json, snakemake.input.pools)}
    numbers = published.read(plan["reported"]) if plan["reported"] else {}
    rows = results.collect(cells, plan, benchmarks, methods, snakemake.params.models, pools, numbers)
    files.write_text(snakemake.output.markdown, render.to_markdown(rows, plan, benchmarks, methods))
    files.write_text(snakemake.output.tex, render.to_tex(rows, plan, benchmarks, methods))
    files.write_text(snakemake.output.csv, results.to_csv(rows, benchmarks))
    if plan["kind"] == "target":
        figure.draw(rows, benchmarks[plan["targets"][0]], snakemake.output.svg, snakemake.output.png)
    else:
        panels.draw(rows, plan, benchmarks, methods, snakemake.output.svg, snakemake.output.png)
