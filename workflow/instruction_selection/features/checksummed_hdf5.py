"""HDF5 files that carry a checksum of their whole content.

HDF5's own checksums do not cover its indexes: there, one flipped bit can give other numbers without any error. So a
complete file has the SHA-256 of everything that follows in front of HDF5's part, in a user block: its checksum.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from instruction_selection.core.errors import InputError

#: Bytes in front of HDF5's part; 512 is the smallest user block.
USER_BLOCK = 512


def create(path: str | Path, libver: str | None = None) -> h5py.File:
    """A new file with room for its checksum; `libver` is the oldest HDF5 that need read it, as for `h5py.File`."""
    return h5py.File(path, "w", userblock_size=USER_BLOCK, libver=libver)


def write_checksum(path: str | Path) -> None:
    """Write the checksum. Call this once, when the file is complete and closed."""
    digest = _digest(path)
    with Path(path).open("r+b") as handle:
        handle.write(digest.encode())


def read_checksum(path: str | Path) -> str:
    """The checksum (SHA-256, hex) that stands in front of a file; it is not verified."""
    with Path(path).open("rb") as handle:
        return handle.read(64).decode("ascii", "replace")


def open_verified(path: str | Path) -> h5py.File:
    """Open for reading, after reading the whole file once to verify its checksum.

    Raises `InputError` if the file is missing, cannot be read, or does not match its checksum.
    """
    try:
        if read_checksum(path) == _digest(path):
            return h5py.File(path, "r")
    except FileNotFoundError:
        raise InputError(
            "store-missing", "this file no longer exists; run the same command again to rebuild it", path=path
        ) from None
    except OSError as error:
        raise InputError("store-unreadable", f"cannot be read ({error})", path=path) from error
    raise InputError(
        "store-damaged", "is damaged, truncated or not a feature store; delete the file and run again", path=path
    )


def dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """Raises `KeyError` if the file has no dataset of this name."""
    found = file[name]
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"{file.filename}: {name} is not a dataset")
    return found


def datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """All datasets of a file without groups, by name."""
    return {name: dataset(file, name) for name in map(str, file)}


def read_identity(file: h5py.File) -> dict:
    """The attribute `identity`: what the features were computed from."""
    return json.loads(str(file.attrs["identity"]))


def encoded_ids(ids: Sequence[str], path: str | Path) -> np.ndarray:
    """Ids of examples as HDF5 stores them, bytes (N,) of the longest one's width, to be written to `path`.

    Raises `InputError` for an id that HDF5 might not give back: one that is empty, contains NUL or is not Unicode.
    """
    try:
        encoded = [text.encode() for text in ids]
    except UnicodeEncodeError as error:
        raise _unfit_id(error.object, path) from error
    for text, stored in zip(ids, encoded, strict=True):
        if not stored or b"\0" in stored:
            raise _unfit_id(text, path)
    return np.array(encoded, dtype=f"S{max(map(len, encoded), default=1)}")


def _unfit_id(text: str, path: str | Path) -> InputError:
    sentence = f"an example has the id {text!r}; an id must be Unicode text that is not empty and has no NUL"
    return InputError("id-not-storable", sentence, path=path, key="id")


@contextlib.contextmanager
def corruption_as_input_error(path: str | Path, name: str) -> Iterator[None]:
    """Turn HDF5's error on reading dataset `name` of the open file `path` into an `InputError`."""
    try:
        yield
    except OSError as error:
        name = name.removeprefix("/")
        sentence = f"this dataset is damaged ({error}); delete the file and run again"
        raise InputError("dataset-damaged", sentence, path=path, key=name) from error


def check_identity(path: str | Path, identity: dict, expected: dict) -> None:
    """Raise `InputError` if a store was made from something other than `expected`.

    `identity` is what the store records; keys that only one of the two has are not compared.
    """
    for key in sorted(identity.keys() & expected.keys()):
        if identity[key] != expected[key]:
            raise InputError(
                "store-outdated",
                f"made with {identity[key]!r}, but {expected[key]!r} is needed; delete this file and the shards it "
                "was gathered from, and run again",
                path=path,
                key=key,
            )


def _digest(path: str | Path) -> str:
    with Path(path).open("rb") as handle:
        handle.seek(USER_BLOCK)
        return hashlib.file_digest(handle, "sha256").hexdigest()
