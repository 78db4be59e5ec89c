from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files
    from instruction_selection.experiment.grid import Cell
    from instruction_selection.tables import shared_rows

    selections = [
        (Cell.of(names), {row["id"] for row in files.iterate_jsonl(path)}) for names, path in snakemake.params.cells
    ]
    files.write_text(snakemake.output.csv, shared_rows.to_csv(shared_rows.build(selections)))
