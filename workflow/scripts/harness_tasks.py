from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import shutil
    from pathlib import Path

    from instruction_selection.core import files, provenance, recorded
    from instruction_selection.data import hub, sampling
    from instruction_selection.evaluation import harness
    from instruction_selection.models import checksummed_folder

    recorded.check(snakemake.input.rows, snakemake.input.sampled)
    benchmark = snakemake.params.settings["benchmark"]
    manifest = files.optional(snakemake.input, "manifest")
    fewshot = []
    if benchmark["fewshot"]:
        fewshot = sampling.every(benchmark["fewshot"], hub.paths(benchmark["fewshot"]["source"], manifest, "fewshot"))
    shutil.rmtree(snakemake.output.tasks, ignore_errors=True)
    harness.write_tasks(
        snakemake.wildcards.benchmark,
        benchmark,
        rows=files.read_jsonl(snakemake.input.rows),
        fewshot=fewshot,
        folder=snakemake.output.tasks,
    )
    record = provenance.record({"rows": snakemake.input.rows}, snakemake.params.settings, snakemake.params.code)
    files.write_json(Path(snakemake.output.tasks) / harness.RECORD, record)
    checksummed_folder.write_checksums(snakemake.output.tasks)
