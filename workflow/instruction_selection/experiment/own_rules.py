"""Methods that are no Python module but a Snakemake rule, in ``workflow/rules/methods``: any language and environment.

A rule is looked up below the working directory first, and then in this checkout, as config files are.

The rule of the method `name` is in ``<name>.smk`` ('-' becomes '_'), and writes a file of ids, best first
(`selection.chosen`). Files beside it whose names begin with ``<name>.`` belong to it, such as a script; ``<name>.py``
declares parameters, as a Python module does.
"""

from pathlib import Path

from instruction_selection.core import code as source
from instruction_selection.core.entry_names import module_name

#: Relative to the working directory, and in this checkout.
FOLDERS = (Path("workflow/rules/methods"), Path(__file__).resolve().parents[2] / "rules" / "methods")


def exists(name: str) -> bool:
    """Whether a method is selected by a rule of its own, and not by a Python module."""
    return path(name).is_file()


def path(name: str) -> Path:
    """The file of a method's rule; absolute, because Snakemake takes relative ones from the file that includes it."""
    candidates = [folder.resolve() / f"{module_name(name)}.smk" for folder in FOLDERS]
    return next((file for file in candidates if file.is_file()), candidates[-1])


def names() -> list[str]:
    """Of all methods with a rule of their own, as files are named."""
    return sorted({found.stem for folder in FOLDERS for found in folder.glob("*.smk")})


def code(name: str) -> dict[str, str]:
    """Hashes of the files that decide what the rule chooses, by name."""
    return source.of_files(*sorted(path(name).parent.glob(f"{module_name(name)}.*")))
