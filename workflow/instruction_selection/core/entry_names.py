"""Names of entries, which become path components, wildcards and modules."""

import re
from pathlib import Path

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
#: A wildcard value for "does not depend on this", so no entry may have it as its name.
ANY = "any"


def module_name(name: str) -> str:
    """`less-round-robin` is in `less_round_robin.py`; readers of pools likewise."""
    return name.replace("-", "_")


def names_of_modules(folder: Path) -> list[str]:
    """The modules in a folder, as entries name them."""
    return [path.stem.replace("_", "-") for path in folder.glob("[!_]*.py")]


def parts(target: str) -> list[str]:
    """The benchmarks of a target."""
    return target.split("+")
