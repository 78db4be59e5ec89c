"""What is known of the shards of a gathered store, so that their data are hashed once and not at every opening.

Gathering hashes every shard as a whole and writes a marker beside the store. While a shard has the size and time that
stand there, opening hashes only what HDF5's own checksums leave out, which is a few kilobytes: everything but the
chunks of the large datasets. A changed bit in these fails its Fletcher-32 checksum when it is read, and then all shards
are hashed again to name the damaged one.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.features import checksummed_hdf5

#: Bytes hashed at a time.
PIECE = 1 << 20


def write(store: str | Path, shards: Iterable[str]) -> None:
    """Call this when `shards`, paths from the folder of `store`, have been hashed as a whole and gathered into it."""
    files.write_json(_marker(store), {shard: _known(Path(store).parent / shard) for shard in shards})


def verify(store: str | Path, shard: str) -> None:
    """`InputError` if a shard of `store` is damaged, as far as this shows before its data are read."""
    if not _unchanged(store, shard):
        checksummed_hdf5.open_verified(Path(store).parent / shard).close()


@contextlib.contextmanager
def naming_the_shard(store: str | Path) -> Iterator[None]:
    """Hash all shards of `store` after an `InputError` inside, so that the damaged one is named instead."""
    try:
        yield
    except InputError:
        for shard in _shards(store):
            checksummed_hdf5.open_verified(Path(store).parent / shard).close()
        raise


def _shards(store: str | Path) -> list[str]:
    """Those that a store was gathered from; none if it holds its data itself."""
    try:
        with h5py.File(store, "r") as file:
            return [shard for shard, _ in json.loads(file.attrs.get("shards", "[]"))]
    except OSError:
        return []


def _marker(store: str | Path) -> Path:
    return Path(store).with_name(f".{Path(store).name}.verified.json")


def _known(shard: Path) -> dict[str, Any]:
    about = Path(shard).stat()
    with h5py.File(shard, "r") as file:
        data = _data(file)
    return {
        "size": about.st_size,
        "mtime_ns": about.st_mtime_ns,
        "data": data,
        "rest": _hash_of_rest(shard, data),
    }


def _unchanged(store: str | Path, shard: str) -> bool:
    path = Path(store).parent / shard
    try:
        known, about = files.read_json(_marker(store))[shard], path.stat()
        if (about.st_size, about.st_mtime_ns) != (known["size"], known["mtime_ns"]):
            return False
        return _hash_of_rest(path, known["data"]) == known["rest"]
    except (OSError, InputError, KeyError, TypeError):
        # No marker, or not one that was written here: hash the shard.
        return False


def _data(file: h5py.File) -> list[list[int]]:
    """[first byte, byte after the last] of the chunks of all matrices that HDF5 checks when it reads them."""
    chunks: list[tuple[int, int]] = []
    for dataset in file.values():
        if dataset.ndim == 2 and dataset.fletcher32:
            dataset.id.chunk_iter(lambda chunk: chunks.append((chunk.byte_offset, chunk.byte_offset + chunk.size)))
    joined: list[list[int]] = []
    for start, stop in sorted(chunks):
        if joined and joined[-1][1] == start:
            joined[-1][1] = stop
        else:
            joined.append([start, stop])
    return joined


def _hash_of_rest(path: str | Path, data: Sequence[Sequence[int]]) -> str:
    """SHA-256 of a file without the byte ranges `data`."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as handle:
        for start, stop in [*data, [None, None]]:
            while piece := handle.read(PIECE if start is None else min(PIECE, start - handle.tell())):
                digest.update(piece)
            if stop is not None:
                handle.seek(stop)
    return digest.hexdigest()
