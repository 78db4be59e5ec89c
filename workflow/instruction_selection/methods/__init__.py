"""Selection methods, one per file.

A method is a module with one of

    score(inputs, params, rng) -> float32 (N,)              higher is better; the best rows are taken
    select(inputs, budget, params, rng) -> Selection        rows in the order in which they were chosen

and a file in config/methods that declares what it needs; `inputs` (see `selection.Inputs`) holds what was declared and
nothing else. Rows without a usable gradient are taken out before, so a method sees only rows that it may choose. What
several methods share stands in modules beside this folder. A method in another language, or with an environment of its
own, is a Snakemake rule in workflow/rules/methods instead.

Rows of a pool may be more than memory holds: `rows @ columns`, `rows.blocks()` and `rows.take(numbers)` read them from
their file, and `rows.unit` reads all at once (see `matrix.Rows`). `inputs.memory_mb` says how much may be kept.

All of them can be used without the workflow, on arrays:

    >>> import numpy as np
    >>> from instruction_selection import selection
    >>> from instruction_selection.selection import Inputs
    >>> from instruction_selection.features.matrix import Rows
    >>> rng = np.random.default_rng(0)
    >>> pool, target = rng.normal(size=(100, 16)), rng.normal(size=(5, 16))    # one row per instruction
    >>> inputs = Inputs(rows=100, pool_gradients=Rows.of(pool), validation_gradients=Rows.of(target))
    >>> chosen = selection.run("g2is", inputs, budget=10, params={"variance": 0.5, "delta": 0.8}, seed=0)
    >>> len(chosen.rows), sorted(chosen.details)
    (10, ['components'])
"""
