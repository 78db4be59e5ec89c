"""``python -m instruction_selection.experiment.list_draws NAME`` prints the numbers of an experiment's draws."""

import sys

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import load
from instruction_selection.experiment.folders import Folders
from instruction_selection.experiment.settings import Settings


def main() -> None:
    config = Folders.of_run()
    try:
        settings = load.load(config, sys.argv[1]).settings
        if settings.draws is None:
            path = load.path_of(config, Settings, sys.argv[1])
            raise InputError("no-draws", "the experiment has no key draws", path=path, key="draws")
    except InputError as error:
        sys.exit(str(error))
    print(*range(1, settings.draws + 1))


if __name__ == "__main__":
    main()
