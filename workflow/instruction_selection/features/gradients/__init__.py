"""One gradient per row: computed in batches, preconditioned, projected, stored.

tokens -> per_sample -> adam (pool rows) -> projection -> store
"""
