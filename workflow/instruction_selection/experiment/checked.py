"""What the rules of `checks` look at."""

from pathlib import Path

from instruction_selection.experiment.base import Entry
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.folders import Folders
from instruction_selection.experiment.settings import Settings
from instruction_selection.experiment.table import Table


class Checked:
    """An experiment, and the paths of its files."""

    def __init__(self, experiment: Experiment, folders: Folders):
        self.experiment = experiment
        self.settings = experiment.settings
        self.folders = folders
        self.file = self.path(Settings, experiment.name)

    def path(self, kind: type[Entry], name: str) -> Path:
        return self.folders.path(f"{kind.FOLDER}/{name}.yaml")

    def table_path(self, name: str) -> Path:
        """The file of a table; the experiment's own for the tables that it has without naming any."""
        return self.path(Table, name) if self.settings.tables else self.file
