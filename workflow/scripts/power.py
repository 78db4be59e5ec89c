from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import finished, load
from instruction_selection.experiment.folders import Folders
from instruction_selection.tables import planning

name = snakemake.params.experiment
try:
    experiment = load.load(Folders.of_run(), name)
    text = planning.text(finished.draws(Folders.of_run(), name) if experiment.settings.draws else [experiment])
except InputError as error:
    raise SystemExit(str(error)) from None
files.write_text(snakemake.log[0], text)
print(text, end="")
