"""Folders that belong to the user: nothing may be written there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def unchanged(*folders: Path) -> Iterator[None]:
    """Compare all files and folders before and after. Permissions would not do, because tests may run as root."""
    before = list(map(_state, folders))
    yield
    assert list(map(_state, folders)) == before


def _state(folder: Path) -> dict[Path, list]:
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        about = path.lstat()
        state = [about.st_ino, about.st_mtime_ns, about.st_ctime_ns]
        if path.is_symlink():
            state.append(os.readlink(path))
        elif path.is_file():
            state.append(path.read_bytes())
        found[path] = state
    return found
