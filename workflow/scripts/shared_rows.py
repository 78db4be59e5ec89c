from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files
    from instruction_selection.tables import shared_rows

    cells = [(cell, {row["id"] for row in files.read_jsonl(selected)}) for cell, selected in snakemake.params.cells]
    files.write_text(snakemake.output.csv, shared_rows.to_csv(shared_rows.build(cells)))
