from instruction_selection.core import files

lines = []
for path, summary, page in zip(snakemake.input.selected, snakemake.input.summaries, snakemake.input.pages, strict=True):
    found = files.read_json(summary)
    lines.append(f"{path}: {found['selected']} rows\n{page}: why these rows\n")
text = "".join(lines)
files.write_text(snakemake.log[0], text)
print(text, end="")
