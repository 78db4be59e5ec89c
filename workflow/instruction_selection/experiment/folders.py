"""Where config files are looked up: the working directory's ``config`` first, then that of this checkout.

So a working directory elsewhere (``--directory``, or a workflow that imports this one as a module) needs only the files
that are its own.
"""

from collections.abc import Iterator
from pathlib import Path

#: The user's own, relative to the working directory, as Snakemake reads all paths.
OWN = Path("config")
#: Of the checkout that this library is in.
CHECKOUT = Path(__file__).resolve().parents[3] / "config"


class Folders:
    """Folders with the layout of ``config``; of two files with one name, that of the earlier folder counts."""

    def __init__(self, *folders: str | Path):
        self.folders = tuple(map(Path, folders))

    @classmethod
    def of_run(cls) -> "Folders":
        """Those of a run that was started in the current working directory."""
        return cls(OWN) if OWN.resolve() == CHECKOUT else cls(OWN, CHECKOUT)

    @classmethod
    def of(cls, folders: "str | Path | Folders") -> "Folders":
        """`folders` as they are, or the one folder at a path."""
        return folders if isinstance(folders, Folders) else cls(folders)

    def path(self, relative: str | Path) -> Path:
        """The file with this path in the first folder that has it; in the first folder if none has it."""
        candidates = [folder / relative for folder in self.folders]
        return next((path for path in candidates if path.exists()), candidates[0])

    def found(self, path: str) -> Path:
        """A path that a config file names: relative to the working directory, or to where its ``config`` may be."""
        inside = Path(path)
        if inside.is_relative_to(OWN) and not inside.exists():
            return self.path(inside.relative_to(OWN))
        return inside

    def files(self, kind: str, suffix: str = ".yaml") -> Iterator[Path]:
        """All files of a kind of entry, such as ``models``, by name; a name that is in several folders comes once."""
        found: dict[str, Path] = {}
        for folder in reversed(self.folders):
            found |= {path.name: path for path in (folder / kind).glob(f"*{suffix}") if path.is_file()}
        yield from (found[name] for name in sorted(found))
