from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection import files, provenance
    from instruction_selection.validation import overlap

    paths = dict(snakemake.input.items())
    others = {path: files.read_jsonl(path) for name, path in paths.items() if name != "evaluation"}
    compared = overlap.check(files.read_jsonl(paths["evaluation"]), others)
    files.write_json(
        snakemake.output.summary,
        {
            "overlapping_rows": 0,
            "compared": compared,
            "provenance": provenance.record(paths, {"source": snakemake.params.source}),
        },
    )
