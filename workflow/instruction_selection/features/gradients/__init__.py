"""One gradient per example: computed in batches, preconditioned, projected, stored.

tokens -> per_sample -> adam (pool examples) -> projection -> store
"""
