"""Rows of instructions: one reader per kind of source, and seeded sampling.

A reader is a module with ``read(task, split, count, seed) -> list[Row]``. A row is a dict with `task`,
`instruction` and `response`; `id` is added by `rows.identified`.
"""
