from instruction_selection import catalogue, files

text = catalogue.text("config")
files.write_text(snakemake.log[0], text)
print(text, end="")
