"""Selection methods, one per file.

A method is a module with one of

    score(inputs, params, rng) -> float32 (N,)              higher is better; the best rows are taken
    select(inputs, budget, params, rng) -> Selection        rows in the order in which they were chosen

and a file of the same name in config/methods that declares what it needs. `inputs` (see `selection.Inputs`) holds
what was declared and nothing else. Rows without a usable gradient have been taken out before, so a method sees only
rows that it may choose.
"""
