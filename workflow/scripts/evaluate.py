from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from pathlib import Path

    from instruction_selection.core import files, provenance
    from instruction_selection.evaluation import harness
    from instruction_selection.models import summary

    name, settings = snakemake.wildcards.benchmark, snakemake.params.settings
    benchmark, rows = settings["benchmark"], settings["target_size"]["evaluation_rows"]
    adapter = files.optional(snakemake.input, "adapter")
    results, samples = harness.evaluate(
        name,
        benchmark,
        tasks=snakemake.input.tasks,
        model=snakemake.input.model,
        adapter=adapter,
        settings={**settings["evaluation"], **snakemake.params.execution},
    )
    scores = harness.summarise(name, benchmark, results, samples, expected_samples=rows)
    inputs = {"tasks": snakemake.input.tasks, **({"adapter": adapter} if adapter else {})}
    packages = harness.PACKAGES[settings["evaluation"]["backend"]]
    record = provenance.record(inputs, settings, snakemake.params.code, packages)
    record["inputs"]["rows"] = files.read_json(Path(snakemake.input.tasks) / harness.RECORD)["inputs"]["rows"]
    record["inputs"]["model"] = summary.made_of(snakemake.input.model)
    files.write_jsonl(snakemake.output.samples, samples)
    files.write_json(snakemake.output.summary, {**scores, "provenance": record})
