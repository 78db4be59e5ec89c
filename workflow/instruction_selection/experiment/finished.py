"""Which runs of an experiment are finished: those whose tables are all there."""

from pathlib import Path

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import load
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.folders import Folders
from instruction_selection.experiment.settings import Settings
from instruction_selection.experiment.wiring import Wiring


def runs(config: str | Path | Folders, name: str) -> list[Experiment]:
    """The finished draws of an experiment, or the experiment itself if it has none. Raises `InputError` if nothing is
    finished."""
    experiment = load.load(config, name)
    if experiment.settings.draws is not None:
        return draws(config, name)
    if not _is_finished(experiment):
        sentence = f"the experiment is not finished; run: snakemake --cores 2 --config experiment={name}"
        raise InputError("not-finished", sentence, path=f"results/{name}")
    return [experiment]


def draws(config: str | Path | Folders, name: str) -> list[Experiment]:
    """The draws of an experiment whose tables are all there, in order. Raises `InputError` if there is none."""
    count = load.load(config, name).settings.draws
    if count is None:
        path = load.path_of(config, Settings, name)
        raise InputError("no-draws", "the experiment has no key draws", path=path, key="draws")
    experiments = [load.load(config, name, draw) for draw in range(1, count + 1)]
    found = [experiment for experiment in experiments if _is_finished(experiment)]
    if not found:
        sentence = f"none of {count} draws is finished; run: snakemake --cores 2 --config experiment={name} draw=1"
        raise InputError("no-finished-draw", sentence, path=f"results/{name}")
    return found


def _is_finished(experiment: Experiment) -> bool:
    return all(Path(path).is_file() for path in Wiring(experiment).files_of(list(experiment.tables)))
