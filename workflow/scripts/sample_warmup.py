from instruction_selection import logs

with logs.to_file(snakemake.log[0]):
    import random

    from instruction_selection import files
    from instruction_selection.errors import InputError

    pool = files.read_jsonl(snakemake.input.pool)
    count = snakemake.params.rows
    if count > len(pool):
        raise InputError(f"warmup.rows: {count} rows are wanted, and {snakemake.input.pool} has {len(pool)}.")
    files.write_jsonl(snakemake.output.rows, random.Random(snakemake.params.seed).sample(pool, count))
