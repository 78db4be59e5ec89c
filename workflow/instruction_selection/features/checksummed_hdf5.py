"""HDF5 files that show whether they are as they were written.

HDF5's own checksums leave its indexes out: there, one flipped bit can give other numbers without any error. So a file
that is complete has in front of HDF5's part, in a user block, the SHA-256 of all that follows.
"""

import contextlib
import hashlib
from pathlib import Path

import h5py

from instruction_selection.core.uncoded_errors import InputError

#: Bytes in front of HDF5's part; 512 is the smallest user block.
USER_BLOCK = 512


def create(path: str | Path, **options) -> h5py.File:
    """A new file with room for its seal; `options` are of `h5py.File`."""
    return h5py.File(path, "w", userblock_size=USER_BLOCK, **options)


def seal(path: str | Path) -> None:
    """Call this once, when the file is complete and closed."""
    digest = _digest(path)
    with Path(path).open("r+b") as handle:
        handle.write(digest.encode())


def seal_of(path: str | Path) -> str:
    """The SHA-256 that stands in front of a file; nothing is compared."""
    with Path(path).open("rb") as handle:
        return handle.read(64).decode("ascii", "replace")


def opened(path: str | Path) -> h5py.File:
    """Open for reading. Raises `InputError` if the file is not what was sealed; for that it is read once as a whole."""
    try:
        if seal_of(path) == _digest(path):
            return h5py.File(path, "r")
    except FileNotFoundError:
        raise InputError(f"{path}: is not there any more; run again, and it is made again.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}).") from error
    raise InputError(f"{path}: damaged, cut short or not a store at all; delete the file and run again.")


@contextlib.contextmanager
def damage_told(path: str | Path, name: str):
    """`InputError` for what HDF5 cannot read of a file that is open."""
    try:
        yield
    except OSError as error:
        name = name.removeprefix("/")
        raise InputError(f"{path}: {name} is damaged; delete the file and run again ({error}).") from error


def refuse_unless(path: str | Path, identity: dict, expected: dict) -> None:
    """`InputError` if a store says that it was made from something else than `expected`, as far as it says so."""
    for key in sorted(identity.keys() & expected.keys()):
        if identity[key] != expected[key]:
            raise InputError(
                f"{path}: made from something else ({key} is {identity[key]!r}, and {expected[key]!r} is wanted); "
                "delete it, and the shards it was gathered from, and run again."
            )


def _digest(path: str | Path) -> str:
    with Path(path).open("rb") as handle:
        handle.seek(USER_BLOCK)
        return hashlib.file_digest(handle, "sha256").hexdigest()
