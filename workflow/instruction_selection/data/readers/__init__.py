"""Readers that generate examples, one module each; examples from files come through `sampling.draw` instead.

A reader has ``read(task, split, count, seed) -> list[dict]``: `count` different examples, each with `task`,
`instruction` and `response`. The splits `pool`, `validation` and `evaluation` share no instruction.
"""
