from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import load
from instruction_selection.experiment.folders import Folders
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import datamodel_figure, datamodel_text, datamodels

try:
    experiment = load.load(Folders.of_run(), snakemake.params.experiment, snakemake.params.draw)
    panels = datamodels.panels(Wiring(experiment))
except InputError as error:
    raise SystemExit(str(error)) from None
at = Path("results", experiment.folder, "datamodels")
text = datamodel_text.to_markdown(panels, experiment)
files.write_text(at.with_suffix(".md"), text)
files.write_text(at.with_suffix(".csv"), datamodel_text.to_csv(panels))
datamodel_figure.draw(panels, experiment, at.with_suffix(".svg"), at.with_suffix(".png"))
files.write_text(snakemake.log[0], text)
subsets = ", ".join(f"{panel.subsets} of {panel.planned} subsets on {panel.benchmark}" for panel in panels)
print(f"{subsets}: {at}.md")
