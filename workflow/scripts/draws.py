from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import finished
from instruction_selection.experiment.folders import Folders
from instruction_selection.tables import draws, render, results

try:
    experiments = finished.draws(Folders.of_run(), snakemake.params.experiment)
    rows, spec = draws.summary(experiments)
except InputError as error:
    raise SystemExit(str(error)) from None
texts = {
    "md": render.to_markdown(rows, spec),
    "tex": render.to_tex(rows, spec, "draws"),
    "csv": results.to_csv(rows, spec),
}
for suffix, text in texts.items():
    files.write_text(Path("results") / snakemake.params.experiment / f"draws.{suffix}", text)
files.write_text(snakemake.log[0], texts["md"])
numbers = ", ".join(str(experiment.draw) for experiment in experiments)
print(f"Draws {numbers} of {experiments[0].settings.draws}: results/{snakemake.params.experiment}/draws.md")
