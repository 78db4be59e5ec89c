from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, recorded
    from instruction_selection.experiment.grid import Cell
    from instruction_selection.tables import shared_rows

    for path, summary in {(path, summary) for _, path, summary in snakemake.params.cells}:
        recorded.check(path, summary)
    selections = [
        (Cell.of(names), {row["id"] for row in files.iterate_jsonl(path)}) for names, path, _ in snakemake.params.cells
    ]
    files.write_text(snakemake.output.csv, shared_rows.to_csv(shared_rows.build(selections)))
