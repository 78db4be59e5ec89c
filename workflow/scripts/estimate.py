from instruction_selection import files
from instruction_selection.config import Experiment
from instruction_selection.cost import estimate

experiment = Experiment(**snakemake.params.experiment)
text = estimate.text(experiment, "results", snakemake.params.cores, snakemake.params.gpus)
files.write_text(snakemake.log[0], text)
print(text, end="")
