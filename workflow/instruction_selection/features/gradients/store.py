"""The gradient store: HDF5, one row per example, in the order of the pool.

    id               N  bytes    empty until the row is written
    finite           N  uint8    1 where the row may be used
    response_tokens  N  int32    tokens of the loss; 0 where the response was cut away entirely
    loss             N  float32
    <kind>           N x D float16, unit rows; `adam` (preconditioned) or `sgd` (plain)
    <kind>_norm      N  float32, the projected row's norm before it was scaled to 1

Pool stores have `adam` rows, and `sgd` rows if the experiment asks for them; validation stores have `sgd` rows.

The attribute `identity` is JSON that says what the rows are; stores whose identities differ where they must agree
are refused. A shard is written under a temporary name, and sealed (`sealed`) and renamed when its last row is in. A
gathered store has the attribute `shards`: JSON, each one's path from here and its seal.
"""

import json
import os
from pathlib import Path

import h5py
import numpy as np

from instruction_selection.core import files, provenance
from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.features import checksummed_hdf5
from instruction_selection.features.checksummed_hdf5 import damage_told
from instruction_selection.features.gradients import shard_markers

SCHEMA_VERSION = 1
ID_BYTES = 16
#: Bytes that HDF5 reads at least. Walks look at single rows; in a pass larger chunks are read no faster.
CHUNK = 128 << 10
#: What pool and validation stores must share for their rows to be comparable.
COMPARABLE = ("schema_version", "model", "adapter", "parameters", "projection", "template", "cutoff_len", "precision")


class Writer:
    """A shard that is filled in any order of rows, and goes on where a killed job stopped.

    Use as a context manager; at the end of a block without error the store is complete and gets its name.
    """

    def __init__(self, path: str | Path, rows: int, dimension: int, kinds: list[str], identity: dict):
        self._path = Path(path)
        self._partial = self._path.with_name(f".{self._path.name}.partial")
        self._kinds = kinds
        self._identity = json.dumps({"schema_version": SCHEMA_VERSION, "kinds": kinds, **identity}, sort_keys=True)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._reopened() or self._created(rows, dimension)

    def _reopened(self) -> h5py.File | None:
        if not self._partial.exists():
            return None
        try:
            with h5py.File(self._partial, "r") as store:
                same = store.attrs.get("identity") == self._identity
                if same:
                    _read_through(store)
            if not same:
                return None
            store = h5py.File(self._partial, "r+")
            # What was not finite is computed once more: its cause may be gone.
            store["id"][np.flatnonzero(store["finite"][:] == 0)] = b""
            return store
        except (OSError, KeyError, RuntimeError):
            print(f"{self._partial}: left by a job that was killed while writing, and cannot be read; starting over.")
            return None

    def _created(self, rows: int, dimension: int) -> h5py.File:
        store = checksummed_hdf5.create(self._partial)
        store.attrs["identity"] = self._identity
        store.attrs["git_commit"] = provenance.git_commit()
        store.attrs["versions"] = json.dumps(
            provenance.versions("torch", "transformers", "peft", "llamafactory", "numpy", "h5py")
        )

        def dataset(name: str, shape: tuple[int, ...], dtype: str) -> None:
            width = int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
            chunks = (min(rows, max(1, CHUNK // width)), *shape[1:])
            # All of the file's room at once: a disk that is too small is noticed before the first gradient, and from
            # then on a kill can only tear a chunk, which its checksum tells, and not an index.
            early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            store.create_dataset(name, shape, dtype, chunks=chunks, fletcher32=True, dcpl=early)

        dataset("id", (rows,), f"S{ID_BYTES}")
        dataset("finite", (rows,), "u1")
        dataset("response_tokens", (rows,), "i4")
        dataset("loss", (rows,), "f4")
        for kind in self._kinds:
            dataset(kind, (rows, dimension), "f2")
            dataset(f"{kind}_norm", (rows,), "f4")
        store.flush()
        return store

    def missing(self) -> np.ndarray:
        """bool (rows,): which are not yet written."""
        return self._file["id"][:] == b""

    def any_finite(self) -> bool:
        """Whether a row that was written may be used."""
        return bool(self._file["finite"][:].any())

    def write(
        self,
        rows: list[int],
        ids: list[str],
        gradients: dict[str, np.ndarray],
        losses: np.ndarray,
        response_tokens: list[int],
    ) -> None:
        """Write the given rows' projected float32 gradients, by kind, each of shape (len(rows), dimension)."""
        order = np.argsort(rows)
        rows, tokens = np.asarray(rows)[order], np.asarray(response_tokens, np.int32)[order]
        gradients = {kind: np.asarray(gradients[kind], np.float32)[order] for kind in self._kinds}
        norms = {kind: np.linalg.norm(values, axis=1) for kind, values in gradients.items()}
        finite = tokens > 0
        for values in norms.values():
            finite &= np.isfinite(values) & (values > 0)
        for kind, values in gradients.items():
            unit = np.divide(values, norms[kind][:, None], out=np.zeros_like(values), where=finite[:, None])
            self._file[kind][rows] = unit
            self._file[f"{kind}_norm"][rows] = np.where(finite, norms[kind], 0)
        self._file["loss"][rows] = np.asarray(losses, np.float32)[order]
        self._file["response_tokens"][rows] = tokens
        self._file["finite"][rows] = finite
        self._file.flush()
        # Last: a row counts as written once it has its id.
        self._file["id"][rows] = np.asarray(ids, dtype=f"S{ID_BYTES}")[order]
        self._file.flush()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind, error, trace) -> None:
        if error is None and self.missing().any():
            error = RuntimeError(f"{self._path}: {self.missing().sum()} rows were never written.")
            self._file.close()
            raise error
        self._file.close()
        if kind is None:
            checksummed_hdf5.seal(self._partial)
            os.replace(self._partial, self._path)


def gather(shards: list[str | Path], path: str | Path, expected_rows: int) -> None:
    """Join shards, in order, into one virtual dataset of `expected_rows` rows at `path`; nothing is copied.

    The shards are found relative to `path`, so a result folder may be moved as a whole.
    """
    path = Path(path)
    parts = [checksummed_hdf5.opened(shard) for shard in shards]
    try:
        first = parts[0]
        for part, shard in zip(parts, shards, strict=True):
            if part.attrs["identity"] != first.attrs["identity"]:
                raise InputError(f"{shard}: made from something else than {shards[0]} ({_difference(part, first)}).")
        if not any(part["finite"][:].any() for part in parts):
            raise InputError(f"{path}: no row has a finite gradient; the model or its warm-up is broken.")
        lengths = [len(part["id"]) for part in parts]
        if sum(lengths) != expected_rows:
            raise InputError(f"{path}: its shards have {sum(lengths)} rows, and the pool has {expected_rows}.")
        relative = [os.path.relpath(shard, path.parent) for shard in shards]
        with files.replacing(path) as temporary:
            with checksummed_hdf5.create(temporary, libver="latest") as store:
                for name, value in first.attrs.items():
                    store.attrs[name] = value
                seals = [checksummed_hdf5.seal_of(shard) for shard in shards]
                store.attrs["shards"] = json.dumps(list(zip(relative, seals, strict=True)))
                for name, dataset in first.items():
                    layout = h5py.VirtualLayout((sum(lengths), *dataset.shape[1:]), dataset.dtype)
                    start = 0
                    for part, source, length in zip(parts, relative, lengths, strict=True):
                        layout[start : start + length] = h5py.VirtualSource(source, name, part[name].shape)
                        start += length
                    store.create_virtual_dataset(name, layout)
            checksummed_hdf5.seal(temporary)
        shard_markers.write(path, relative)
    finally:
        for part in parts:
            part.close()


class Reader:
    """A complete store, opened for reading. Raises `InputError` for a store that has holes or is damaged."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._file = checksummed_hdf5.opened(path)
        # HDF5 gives zeros for a shard that it cannot open.
        for name, seal in json.loads(self._file.attrs.get("shards", "[]")):
            shard = self.path.parent / name
            shard_markers.verify(path, name)
            if checksummed_hdf5.seal_of(shard) != seal:
                raise InputError(f"{shard}: not the one that {self.path} was made from; delete both and run again.")
        self.identity: dict = json.loads(self._file.attrs["identity"])
        self.ids = [name.decode() for name in self._read("id")]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def usable(self) -> np.ndarray:
        """bool (N,): rows with a response and a finite gradient that is not zero."""
        return self._read("finite").astype(bool)

    def norms(self, kind: str) -> np.ndarray:
        """float32 (N,)"""
        return self._read(f"{kind}_norm")

    def unit(self, kind: str) -> np.ndarray:
        """float32 (N, D), rows of norm 1 within half precision; zeros where not usable."""
        return self._read(kind).astype(np.float32)

    def refuse_unless_comparable(self, other: "Reader") -> None:
        """`InputError` unless the inner products of two stores' rows mean something."""
        for key in COMPARABLE:
            if self.identity[key] != other.identity[key]:
                raise InputError(
                    f"{self.path} and {other.path} cannot be compared: {key} is {self.identity[key]!r} in one and "
                    f"{other.identity[key]!r} in the other."
                )

    def dataset(self, name: str) -> h5py.Dataset:
        """A kind's rows or another column, not yet read."""
        if name not in self._file:
            raise InputError(f"{self.path}: has no {name} rows; it has {', '.join(self.identity['kinds'])}.")
        return self._file[name]

    def _read(self, name: str) -> np.ndarray:
        with shard_markers.naming_the_shard(self.path), damage_told(self.path, name):
            return self.dataset(name)[:]


def _read_through(store: h5py.File) -> None:
    """Raises what HDF5 raises where a checksum is wrong."""
    for dataset in store.values():
        for start in range(0, len(dataset), dataset.chunks[0]):
            dataset[start : start + dataset.chunks[0]]


def _difference(one: h5py.File, other: h5py.File) -> str:
    left, right = json.loads(one.attrs["identity"]), json.loads(other.attrs["identity"])
    return ", ".join(sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key)))
