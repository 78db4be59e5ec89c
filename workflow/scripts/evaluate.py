from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, provenance
    from instruction_selection.evaluation import harness
    from instruction_selection.models import sealed

    name, benchmark = snakemake.wildcards.benchmark, snakemake.params.benchmark
    adapter = files.optional(snakemake.input, "adapter")
    results, samples = harness.evaluate(
        name,
        benchmark,
        tasks=snakemake.input.tasks,
        model=snakemake.input.model,
        adapter=adapter,
        settings=snakemake.params.settings,
    )
    summary = harness.summarise(name, benchmark, results, samples, expected_samples=snakemake.params.rows)
    summary["provenance"] = provenance.record(
        {"tasks": snakemake.input.tasks},
        snakemake.params.settings,
        harness.PACKAGES[snakemake.params.settings["backend"]],
    )
    for kind, folder in (("model", snakemake.input.model), ("adapter", adapter)):
        if folder:
            summary["provenance"]["inputs"][kind] = {"path": str(folder), "sha256": sealed.identity(folder)}
    files.write_jsonl(snakemake.output.samples, samples)
    summary["samples_sha256"] = files.sha256(snakemake.output.samples)
    files.write_json(snakemake.output.summary, summary)
