from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection import files
    from instruction_selection.tables import figure, table

    cells = [
        {
            **cell,
            "evaluation": files.read_json(evaluation),
            "selection": files.read_json(selection) if selection else None,
        }
        for cell, evaluation, selection in snakemake.params.cells
    ]
    pools = {summary["pool"]: summary for summary in map(files.read_json, snakemake.input.pools)}
    benchmark = snakemake.params.benchmark
    rows = table.build(cells, benchmark, snakemake.params.methods, snakemake.params.models, pools)
    files.write_text(snakemake.output.markdown, table.to_markdown(rows, benchmark))
    files.write_text(snakemake.output.csv, table.to_csv(rows))
    figure.draw(rows, benchmark, snakemake.output.svg, snakemake.output.png)
