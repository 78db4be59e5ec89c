"""Installed Python packages: the files that they carry, and which of two copies takes precedence."""

import importlib.util
import os
from pathlib import Path

from instruction_selection.core.errors import InputError


def path_in_package(package: str, relative: str) -> Path:
    """Path of a file or folder inside an installed package, found without importing the package.

    Packages that only carry model weights often import tools that are not needed to read them. Raises `InputError` if
    the package or the file is missing.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            "package-not-installed", f"the Python package {package!r}, which carries {relative}, is not installed"
        )
    path = Path(spec.submodule_search_locations[0]) / relative
    if not path.exists():
        raise InputError("not-in-package", f"the Python package {package!r} has no {relative}")
    return path


def prefer(folder: Path) -> None:
    """Make every Python process started from here look for packages in `folder` first.

    Snakemake puts the workflow's library last on a job's path, so an environment with another checkout of this project
    installed would run that checkout's code.
    """
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *([others] if others else [])])
