from instruction_selection.core import logs

with logs.to_file(snakemake.log[0]):
    import random

    from instruction_selection.core import files
    from instruction_selection.core.uncoded_errors import InputError

    count, available = snakemake.params.rows, files.count_lines(snakemake.input.pool)
    if count > available:
        raise InputError(f"warmup.rows: {count} rows are wanted, and {snakemake.input.pool} has {available}.")
    numbers = random.Random(snakemake.params.seed).sample(range(available), count)
    # The pool may be larger than memory.
    wanted = set(numbers)
    rows = {number: row for number, row in enumerate(files.iterate_jsonl(snakemake.input.pool)) if number in wanted}
    files.write_jsonl(snakemake.output.rows, map(rows.get, numbers))
