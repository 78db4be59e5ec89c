"""Instruction-data selection: pools, gradients, methods, fine-tuning, evaluation and tables.

The library never imports Snakemake; ``workflow/scripts`` adapts it to rules.
"""
