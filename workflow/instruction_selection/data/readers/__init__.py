"""Readers that make instructions, one module each; rows of files come through `sampling.draw` instead.

A reader has ``read(task, split, count, seed) -> list[dict]``: `count` different rows, each with `task`, `instruction`
and `response`, in which the splits `pool`, `validation` and `evaluation` share nothing.
"""
