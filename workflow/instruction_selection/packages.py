"""Files that installed Python packages carry."""

import importlib.util
from pathlib import Path

from instruction_selection.errors import InputError


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
