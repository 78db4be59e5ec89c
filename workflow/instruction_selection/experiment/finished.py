"""What is finished of an experiment: the tables that are there, and with them all that they show."""

from pathlib import Path

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import load
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.folders import Folders
from instruction_selection.experiment.settings import Settings
from instruction_selection.experiment.wiring import Wiring


def runs(config: str | Path | Folders, name: str) -> list[Experiment]:
    """The draws of an experiment, or the experiment itself if it has none; each has its finished tables alone. Raises
    `InputError` if there is no such table."""
    experiment = load.load(config, name)
    if experiment.settings.draws is not None:
        return draws(config, name)
    found = _finished(experiment)
    if not found.tables:
        sentence = f"no table of the experiment is finished; run: snakemake --cores 2 --config experiment={name}"
        raise InputError("not-finished", sentence, path=f"results/{name}")
    return [found]


def draws(config: str | Path | Folders, name: str) -> list[Experiment]:
    """The draws of an experiment that have a finished table, in order; each has its finished tables alone. Raises
    `InputError` if there is none."""
    count = load.load(config, name).settings.draws
    if count is None:
        path = load.path_of(config, Settings, name)
        raise InputError("no-draws", "the experiment has no key draws", path=path, key="draws")
    experiments = [_finished(load.load(config, name, draw)) for draw in range(1, count + 1)]
    found = [experiment for experiment in experiments if experiment.tables]
    if not found:
        sentence = f"none of {count} draws is finished; run: snakemake --cores 2 --config experiment={name} draw=1"
        raise InputError("no-finished-draw", sentence, path=f"results/{name}")
    return found


def _finished(experiment: Experiment) -> Experiment:
    """With those of its tables that are there."""
    wiring = Wiring(experiment)
    tables = {
        name: plan
        for name, plan in experiment.tables.items()
        if all(Path(path).is_file() for path in wiring.files_of(name))
    }
    return experiment.model_copy(update={"tables": tables})
