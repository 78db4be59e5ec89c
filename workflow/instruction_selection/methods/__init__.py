"""Selection methods, one per file.

A method is a module with one of

    score(inputs, rng, *, ...) -> float32 (N,)              higher is better; the best rows are taken
    select(inputs, budget, rng, *, ...) -> Selection        rows in the order in which they were chosen

and a file in config/methods that declares what it needs; `inputs` (see `selection.Inputs`) holds what was declared and
nothing else. Arguments after the `*` are the method's parameters, with types that say which values are allowed
(`core.parameters`). The file in config/methods sets them, and a wrong one is rejected before any job starts. Rows
without a usable gradient are taken out before, so a method sees only rows that it may choose. What several methods
share stands in modules beside this folder. A method in another language, or with an environment of its own, is a
Snakemake rule in workflow/rules/methods instead.

A pool's features may be larger than memory: `matrix @ columns`, `matrix.blocks()` and `matrix.take(indices)` read a
part at a time, and `matrix.unit` reads all at once (see `matrix.FeatureMatrix`). `inputs.memory_mib` says how much
memory may be used. `inputs.over_checkpoints` gives a feature under every checkpoint of the warm-up.

All of them can be used without the workflow, on arrays:

    >>> import numpy as np
    >>> from instruction_selection import selection
    >>> from instruction_selection.features.matrix import InMemoryMatrix
    >>> from instruction_selection.selection import Inputs
    >>> rng = np.random.default_rng(0)
    >>> pool, target = rng.normal(size=(100, 16)), rng.normal(size=(5, 16))    # one row per instruction
    >>> pool, target = InMemoryMatrix.normalised(pool), InMemoryMatrix.normalised(target)
    >>> inputs = Inputs.of(100, pool_gradients=pool, validation_gradients=target)
    >>> chosen = selection.run_method("g2is", inputs, budget=10, params={"variance": 0.5, "delta": 0.8}, seed=0)
    >>> len(chosen.indices), sorted(chosen.details)
    (10, ['components'])
"""
