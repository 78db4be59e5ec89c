from instruction_selection import estimate
from instruction_selection.config import Experiment

experiment = Experiment(**snakemake.params.experiment)
print(estimate.text(experiment, "results", snakemake.params.cores, snakemake.params.gpus), end="")
