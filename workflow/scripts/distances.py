from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import finished
from instruction_selection.experiment.folders import Folders
from instruction_selection.tables import distance_correlations, distance_figure, distance_text, distances

name = snakemake.params.experiment
measured = files.read_json(snakemake.input.measured)["distances"]
# Snakemake does not know the results behind it, so that the next run measures again.
Path(snakemake.input.measured).unlink()
try:
    experiments = finished.runs(Folders.of_run(), name)
    spec = distances.spec_of(experiments[0])
    points = distances.points(experiments, measured, spec)
except InputError as error:
    raise SystemExit(str(error)) from None
lines = distance_correlations.correlate(points, spec)
text = distance_text.to_markdown(lines, spec, name)
folder = Path("results") / name
files.write_text(folder / "distances.md", text)
files.write_text(folder / "distances.csv", distance_text.to_csv(points))
distance_figure.draw(points, lines, spec, folder / "distances.svg", folder / "distances.png")
files.write_text(snakemake.log[0], text)
print(f"{len(points)} distances: {folder}/distances.md")
