from instruction_selection.core import files
from instruction_selection.experiment import catalogue

text = catalogue.text("config")
files.write_text(snakemake.log[0], text)
print(text, end="")
