from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, provenance
    from instruction_selection.evaluation import harness

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
        {"tasks": snakemake.input.tasks, **({"adapter": adapter} if adapter else {})},
        snakemake.params.settings,
        harness.PACKAGES[snakemake.params.settings["backend"]],
    )
    files.write_jsonl(snakemake.output.samples, samples)
    files.write_json(snakemake.output.summary, summary)
