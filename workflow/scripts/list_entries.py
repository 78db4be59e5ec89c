from instruction_selection.core import files
from instruction_selection.experiment import catalogue
from instruction_selection.experiment.folders import Folders

text = catalogue.text(Folders.of_run())
files.write_text(snakemake.log[0], text)
print(text, end="")
