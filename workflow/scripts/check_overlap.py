from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, provenance, recorded
    from instruction_selection.data import overlap

    paths = {name: snakemake.input[name] for name in ("evaluation", "validation", "pool")}
    for name, path in paths.items():
        recorded.check(path, snakemake.input.sampled_pool if name == "pool" else snakemake.input.sampled_target)
    others = {path: files.iterate_jsonl(path) for name, path in paths.items() if name != "evaluation"}
    found = overlap.find(files.read_jsonl(paths["evaluation"]), others)
    settings = snakemake.params.settings
    if settings["target_size"]["overlap"] == "reject":
        overlap.reject(found)
    files.write_json(
        snakemake.output.summary,
        {
            "overlapping_rows": sum(map(len, found.values())),
            "overlapping": found,
            "compared": {path: files.count_lines(path) for path in others},
            "provenance": provenance.record(paths, settings, snakemake.params.code),
        },
    )
