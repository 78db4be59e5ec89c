"""Stand-ins for packages that a dependency imports at module level but this pipeline never calls."""

import importlib.machinery
import importlib.util
import sys
import types


def stand_in_for(name: str, why: str) -> None:
    """If package `name` is not installed, let `import name` succeed; using it raises `ImportError` with `why`."""
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    module = types.ModuleType(name, f"Stands in for {name}, which is not installed: {why}")
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)

    def missing(attribute: str):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        needed = f"{name}.{attribute}"
        raise ImportError(f"{needed} is needed, but {name} is not installed: {why}", name=needed)

    module.__getattr__ = missing
    sys.modules[name] = module
