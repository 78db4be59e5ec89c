"""Packages that a dependency imports at its top and that this pipeline never calls."""

import importlib.machinery
import importlib.util
import sys
import types


def stand_in_for(name: str, why: str) -> None:
    """Where package `name` is not installed, let `import name` succeed; any use of it fails and says `why`."""
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    module = types.ModuleType(name, f"Stands in for {name}, which is not installed: {why}")
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)

    def missing(attribute: str):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise ImportError(f"{name}.{attribute} is needed, and {name} is not installed: {why}")

    module.__getattr__ = missing
    sys.modules[name] = module
