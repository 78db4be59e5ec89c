from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    from pathlib import Path

    from instruction_selection.core import files, provenance
    from instruction_selection.evaluation import harness
    from instruction_selection.models import checksummed_folder

    name, settings = snakemake.wildcards.benchmark, snakemake.params.settings
    benchmark, rows = settings["benchmark"], settings["target_size"]["evaluation_rows"]
    adapter = files.optional(snakemake.input, "adapter")
    tasks = checksummed_folder.record(snakemake.input.tasks)
    results, samples = harness.evaluate(
        name,
        benchmark,
        tasks=snakemake.input.tasks,
        model=snakemake.input.model,
        adapter=adapter,
        settings={**settings["evaluation"], **snakemake.params.execution},
    )
    scores = harness.summarise(name, benchmark, results, samples, expected_samples=rows)
    packages = harness.PACKAGES[settings["evaluation"]["backend"]]
    record = provenance.record({}, settings, snakemake.params.code, packages)
    record["inputs"] |= {
        "tasks": tasks,
        "rows": files.read_json(Path(snakemake.input.tasks) / harness.RECORD)["inputs"]["rows"],
        "model": checksummed_folder.model_record(snakemake.input.model),
        **({"adapter": checksummed_folder.record(adapter)} if adapter else {}),
    }
    files.write_jsonl(snakemake.output.samples, samples)
    files.write_json(
        snakemake.output.summary,
        {**scores, "samples_sha256": files.sha256(snakemake.output.samples), "provenance": record},
    )
