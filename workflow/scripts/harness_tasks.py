from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import shutil

    from instruction_selection.core import files, recorded
    from instruction_selection.data import hub, sampling
    from instruction_selection.evaluation import harness

    benchmark = snakemake.params.benchmark
    recorded.check(snakemake.input.rows, snakemake.input.sampled)
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
