"""What an experiment costs: prices, jobs and their work, the estimate, and the memory and time that jobs ask for.

`prices` is the only list of unit costs. The estimate and the resources of every job follow from it.
"""
