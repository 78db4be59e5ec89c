"""Stand-ins for packages that a dependency imports at module level but this pipeline never calls."""

import importlib.machinery
import importlib.util
import sys
import types
from typing import NoReturn


def stand_in_for(package: str, why: str) -> None:
    """If `package` is not installed, let its import succeed; using it raises `ImportError` with `why`."""
    if package in sys.modules or importlib.util.find_spec(package) is not None:
        return
    module = types.ModuleType(package, f"Stands in for {package}, which is not installed: {why}")
    module.__spec__ = importlib.machinery.ModuleSpec(package, None)

    def missing(name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        needed = f"{package}.{name}"
        raise ImportError(f"{needed} is needed, but {package} is not installed: {why}", name=needed)

    module.__getattr__ = missing
    sys.modules[package] = module
