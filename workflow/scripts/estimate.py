from instruction_selection.core import files
from instruction_selection.cost import estimate
from instruction_selection.experiment.experiment import Experiment

experiment = Experiment.model_validate(snakemake.params.experiment)
text = estimate.text(experiment, "results", snakemake.params.cores, snakemake.params.gpus, snakemake.input.memory)
files.write_text(snakemake.log[0], text)
print(text, end="")
