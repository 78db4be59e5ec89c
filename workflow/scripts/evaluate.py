from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from instruction_selection.core import files, provenance
    from instruction_selection.evaluation import harness

    name, benchmark = snakemake.wildcards.benchmark, snakemake.params.benchmark
    adapter = next(iter(snakemake.input.get("adapter", [])), None)
    results, samples = harness.evaluate(
        name, benchmark, snakemake.input.tasks, snakemake.input.model, adapter, snakemake.params.settings
    )
    summary = harness.summarise(name, benchmark, results, samples, snakemake.params.rows)
    summary["provenance"] = provenance.record(
        {"tasks": snakemake.input.tasks, **({"adapter": adapter} if adapter else {})},
        snakemake.params.settings,
        harness.PACKAGES[snakemake.params.settings["backend"]],
    )
    files.write_jsonl(snakemake.output.samples, samples)
    files.write_json(snakemake.output.summary, summary)
