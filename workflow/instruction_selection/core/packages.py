"""Installed Python packages: files that they carry, and which of two goes first."""

import importlib.util
import os
from pathlib import Path

from instruction_selection.core.uncoded_errors import InputError


def path_in_package(package: str, relative: str) -> Path:
    """Path of a file or folder inside an installed package, which is not imported.

    Packages that only carry model weights often import tools that are not needed to read them.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"The Python package {package!r}, which carries {relative}, is not installed.")
    path = Path(spec.submodule_search_locations[0]) / relative
    if not path.exists():
        raise InputError(f"The Python package {package!r} has no {relative}.")
    return path


def prefer(folder: Path) -> None:
    """Have every Python process that is started from here look for packages in `folder` first.

    Snakemake puts the workflow's library last on a job's path, so that an environment in which another checkout of this
    project is installed would run that one's.
    """
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *([others] if others else [])])
