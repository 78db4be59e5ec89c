"""Folders with the checksums of their files: models, adapters, and the tasks of an evaluation.

The list of checksums is a file in the folder. Beside the folder is a marker: which size, times and inode each file had
when it was last hashed. A job hashes only files for which one of these differs, because a model has many gigabytes.
Size and modification time can be set back after a change, but the inode's change time (ctime) cannot.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.models import summary

NAME = "files.json"


@contextlib.contextmanager
def create(folder: str | Path) -> Iterator[Path]:
    """Yield an empty folder; if the block succeeds, list its files with their checksums and rename it to `folder`.

    An earlier `folder` is replaced. Links in it stay links: their targets are hashed, and never written to.
    """
    folder = Path(folder)
    partial = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    digests = write_checksums(partial)
    shutil.rmtree(folder, ignore_errors=True)
    files.publish(partial, folder)
    _remember(folder, _states(folder, digests))


def write_checksums(folder: str | Path) -> dict[str, str]:
    """List the files in a complete folder with their checksums; returns the checksums by name."""
    folder = Path(folder)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    digests = {name: files.sha256(folder / name) for name in names if name != NAME}
    files.write_json(folder / NAME, digests)
    return digests


def identity(folder: str | Path) -> str:
    """One SHA-256 of the names and contents of the files that a folder lists; verifies all of them.

    A model's summary is verified but does not count, because it says when and where the model was prepared. Raises
    `InputError` for a file that is missing, damaged or changed.
    """
    folder = Path(folder)
    if not (folder / NAME).is_file():
        sentence = f"it has no {NAME}, so an earlier version made it or it is incomplete; delete it and run again"
        raise InputError("no-checksums", sentence, path=folder)
    digests = files.read_json(folder / NAME, folder)
    known, states = _known(folder), _states(folder, digests)
    for name, digest in digests.items():
        if known.get(name) != states[name] and files.sha256(folder / name) != digest:
            raise files.damaged(folder / name, f"its SHA-256 is not that in {NAME}", folder)
    if known != states:
        _remember(folder, states)
    counted = {name: digest for name, digest in digests.items() if name != summary.NAME}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()


def record(folder: str | Path) -> dict[str, Any]:
    """A folder with checksums, as the records of results name their inputs (`provenance.record`)."""
    return {"path": str(folder), "sha256": identity(folder)}


def model_record(folder: str | Path) -> dict[str, Any]:
    """`record` of a model's folder, with the settings that it was prepared with."""
    return {**record(folder), "parameters": summary.read(folder)["provenance"]["parameters"]}


def _states(folder: Path, digests: dict[str, str]) -> dict[str, list]:
    """For each file, or the target of a link, what differs if it has changed since it was hashed; and its checksum."""
    states = {}
    for name, digest in digests.items():
        try:
            about = (folder / name).stat()
        except FileNotFoundError:
            raise files.damaged(folder / name, "it is missing", folder) from None
        states[name] = [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino, digest]
    return states


def _marker(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.verified.json")


def _known(folder: Path) -> dict[str, list]:
    try:
        return files.read_json(_marker(folder))
    except (OSError, InputError):
        return {}


def _remember(folder: Path, states: dict[str, list]) -> None:
    """Write the marker. Without it, as in a folder that cannot be written to, every job hashes again."""
    with contextlib.suppress(OSError):
        files.write_json(_marker(folder), states)
