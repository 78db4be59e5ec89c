"""The gradient store: HDF5, one row per example, in the order of the pool.

    id               (N,)    S        the example's id (UTF-8); empty until its row is written
    finite           (N,)    uint8    1 if the example has a response and all its gradients are finite and not zero
    response_tokens  (N,)    int32    tokens that the loss averages over; 0 if the response was truncated entirely
    loss             (N,)    float32  mean cross-entropy, nats per response token; NaN without response tokens
    <kind>           (N, D)  float16  the projected gradient scaled to norm 1; zeros where not finite
    <kind>_norm      (N,)    float32  its norm before scaling; 0 where not finite

A kind is `adam` (preconditioned) or `sgd` (plain). Pool stores have `adam`, and `sgd` if the experiment asks for it;
validation stores have `sgd`.

The attribute `identity` is JSON that records what the gradients were computed from; stores that must agree there and do
not are rejected. `git_commit` and `versions` (JSON) record the code, and `batch_tokens` how it ran. A shard is written
under a temporary name; when it is complete, it is checked and renamed. A gathered store is a virtual dataset over
shards; its attribute `shards` is JSON: each shard's path, relative to the store, and its checksum.
"""

import json
import os
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np

from instruction_selection.core import files, provenance
from instruction_selection.core.errors import InputError
from instruction_selection.features import checksummed_hdf5
from instruction_selection.features.checksummed_hdf5 import corruption_as_input_error, dataset, datasets, read_identity
from instruction_selection.features.gradients import shard_markers

SCHEMA_VERSION = 2
#: Bytes of a chunk, the least that HDF5 reads. Walks read single rows, and larger chunks do not make a pass faster.
CHUNK_BYTES = 128 << 10
#: What pool and validation stores must have in common for their inner products to be meaningful.
COMPARABLE = (
    *("schema_version", "code", "model", "adapter", "parameters", "projection", "template", "cutoff_len", "precision"),
)


NO_GRADIENT = "has a finite gradient, so the model or its warm-up is broken"


class Writer:
    """Writes one shard, in any order of rows; resumes where a killed job stopped.

    Use it as a context manager: if the block succeeds, the store is checked and renamed to `path`. A partial store is
    resumed if its `identity` and `kinds` are the same, and replaced otherwise. `ids` are those of all N examples, and
    `dimension` is D. `batch_tokens` is recorded alone, as the last job had it. Raises `InputError` for an id that HDF5
    would not give back as it is.
    """

    def __init__(
        self,
        path: str | Path,
        ids: list[str],
        dimension: int,
        kinds: list[str],
        identity: dict,
        batch_tokens: int | None = None,
    ):
        self._path = Path(path)
        self._ids = checksummed_hdf5.encoded_ids(ids, path)
        self._partial = self._path.with_name(f".{self._path.name}.partial")
        self._kinds = kinds
        self._identity = json.dumps({"schema_version": SCHEMA_VERSION, "kinds": kinds, **identity}, sort_keys=True)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._reopened() or self._created(dimension)
        if batch_tokens is not None:
            self._file.attrs["batch_tokens"] = batch_tokens

    def _reopened(self) -> h5py.File | None:
        if not self._partial.exists():
            return None
        try:
            with h5py.File(self._partial, "r") as store:
                same = store.attrs.get("identity") == self._identity and dataset(store, "id").dtype == self._ids.dtype
                if same:
                    _read_through(store)
            if not same:
                return None
            store = h5py.File(self._partial, "r+")
            # Rows that were not finite are computed again, because the cause may be fixed.
            dataset(store, "id")[np.flatnonzero(dataset(store, "finite")[:] == 0)] = b""
            return store
        except (OSError, KeyError, RuntimeError):
            print(f"{self._partial}: left unreadable by a killed job; starting over.")
            return None

    def _created(self, dimension: int) -> h5py.File:
        rows = len(self._ids)
        store = checksummed_hdf5.create(self._partial)
        store.attrs["identity"] = self._identity
        store.attrs["git_commit"] = provenance.git_commit()
        store.attrs["versions"] = json.dumps(
            provenance.versions("torch", "transformers", "peft", "llamafactory", "numpy", "h5py")
        )

        def add(name: str, shape: tuple[int, ...], dtype: str) -> None:
            width = int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
            chunks = (min(rows, max(1, CHUNK_BYTES // width)), *shape[1:])
            # Allocate the whole file at once: a full disk is noticed before the first gradient, and afterwards a kill
            # can only damage a chunk, which has a checksum, and not an index.
            early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            store.create_dataset(name, shape, dtype, chunks=chunks, fletcher32=True, dcpl=early)

        add("id", (rows,), self._ids.dtype.str)
        add("finite", (rows,), "u1")
        add("response_tokens", (rows,), "i4")
        add("loss", (rows,), "f4")
        for kind in self._kinds:
            add(kind, (rows, dimension), "f2")
            add(f"{kind}_norm", (rows,), "f4")
        store.flush()
        return store

    def missing(self) -> np.ndarray:
        """bool (N,): the rows that are not written yet."""
        return dataset(self._file, "id")[:] == b""

    def any_finite(self) -> bool:
        """Whether any written row is usable."""
        return bool(dataset(self._file, "finite")[:].any())

    def write(
        self,
        rows: list[int],
        gradients: dict[str, np.ndarray],
        losses: np.ndarray,
        response_tokens: list[int],
    ) -> None:
        """Write some rows.

        `gradients` has the projected gradients by kind, float32 (len(rows), D), not yet scaled to norm 1; `losses` is
        float32 (len(rows),). Rows without response tokens or with a gradient that is zero or not finite are stored as
        zeros with `finite` 0.
        """
        order = np.argsort(rows)
        places, tokens = np.asarray(rows)[order], np.asarray(response_tokens, np.int32)[order]
        gradients = {kind: np.asarray(gradients[kind], np.float32)[order] for kind in self._kinds}
        norms = {kind: np.linalg.norm(values, axis=1) for kind, values in gradients.items()}
        finite = tokens > 0
        for values in norms.values():
            finite &= np.isfinite(values) & (values > 0)
        for kind, values in gradients.items():
            unit = np.divide(values, norms[kind][:, None], out=np.zeros_like(values), where=finite[:, None])
            dataset(self._file, kind)[places] = unit
            dataset(self._file, f"{kind}_norm")[places] = np.where(finite, norms[kind], 0)
        dataset(self._file, "loss")[places] = np.asarray(losses, np.float32)[order]
        dataset(self._file, "response_tokens")[places] = tokens
        dataset(self._file, "finite")[places] = finite
        self._file.flush()
        # The id comes last, because a row with an id counts as written.
        dataset(self._file, "id")[places] = self._ids[places]
        self._file.flush()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.missing().any():
            error = RuntimeError(f"{self._path}: {self.missing().sum()} rows were never written.")
            self._file.close()
            raise error
        self._file.close()
        if kind is None:
            checksummed_hdf5.write_checksum(self._partial)
            files.publish(self._partial, self._path)


def gather(shards: list[str | Path], path: str | Path, expected_rows: int | None) -> None:
    """Join shards, in order, into one virtual dataset at `path`, without copying: of `expected_rows` rows, if known.

    Paths of shards are relative to `path`, so a result folder can be moved as a whole. Raises `InputError` if a shard
    is damaged or made with other inputs than the first, if the number of rows differs, or if no row is usable.
    """
    path = Path(path)
    parts = [checksummed_hdf5.open_verified(shard) for shard in shards]
    try:
        first = parts[0]
        for part, shard in zip(parts, shards, strict=True):
            if part.attrs["identity"] != first.attrs["identity"]:
                sentence = f"made with other inputs than {shards[0]} ({_difference(part, first)}); delete both"
                raise InputError("shards-differ", f"{sentence} and run again", path=shard)
        if not any(dataset(part, "finite")[:].any() for part in parts):
            raise InputError("no-finite-gradient", f"no example {NO_GRADIENT}", path=path)
        lengths = [len(dataset(part, "id")) for part in parts]
        if expected_rows is not None and sum(lengths) != expected_rows:
            sentence = (
                f"its shards have {sum(lengths)} rows, but the pool has {expected_rows}; delete them and run again"
            )
            raise InputError("shards-incomplete", sentence, path=path)
        relative = [os.path.relpath(shard, path.parent) for shard in shards]
        with files.replacing(path) as temporary:
            with checksummed_hdf5.create(temporary, libver="latest") as store:
                for name, value in first.attrs.items():
                    store.attrs[name] = value
                checksums = [checksummed_hdf5.read_checksum(shard) for shard in shards]
                store.attrs["shards"] = json.dumps(list(zip(relative, checksums, strict=True)))
                for name, column in datasets(first).items():
                    # Ids of shards may differ in width.
                    dtype = max((dataset(part, name).dtype for part in parts), key=lambda dtype: dtype.itemsize)
                    layout = h5py.VirtualLayout((sum(lengths), *column.shape[1:]), dtype)
                    start = 0
                    for part, source, length in zip(parts, relative, lengths, strict=True):
                        stored = dataset(part, name)
                        layout[start : start + length] = h5py.VirtualSource(source, name, stored.shape, stored.dtype)
                        start += length
                    store.create_virtual_dataset(name, layout)
            checksummed_hdf5.write_checksum(temporary)
        shard_markers.write(path, relative)
    finally:
        for part in parts:
            part.close()


class Reader:
    """A complete store, opened for reading. Raises `InputError` if it, or one of its shards, is damaged or missing."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._file = checksummed_hdf5.open_verified(path)
        # HDF5 returns zeros for a shard that it cannot open, without an error.
        for name, checksum in json.loads(str(self._file.attrs.get("shards", "[]"))):
            shard = self.path.parent / name
            shard_markers.verify(path, name)
            if checksummed_hdf5.read_checksum(shard) != checksum:
                sentence = f"not the shard that {self.path} was gathered from; delete both and run again"
                raise InputError("other-shard", sentence, path=shard)
        self.identity = read_identity(self._file)
        if self.identity.get("schema_version") != SCHEMA_VERSION:
            sentence = "an earlier version of this project made this store; delete it and its shards, and run again"
            raise InputError("earlier-version", sentence, path=path)
        self.ids = [name.decode() for name in self._read("id")]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def usable(self) -> np.ndarray:
        """bool (N,): examples with a response and finite gradients that are not zero."""
        return self._read("finite").astype(bool)

    def norms(self, kind: str) -> np.ndarray:
        """float32 (N,): norms of the projected gradients of a kind; 0 where not usable."""
        return self._read(f"{kind}_norm")

    def unit(self, kind: str) -> np.ndarray:
        """float32 (N, D), rows of norm 1 within half precision; zeros where not usable."""
        return self._read(kind).astype(np.float32)

    def check_comparable(self, other: "Reader") -> None:
        """Raise `InputError` unless inner products between the two stores' rows are meaningful (`COMPARABLE`)."""
        for key in COMPARABLE:
            if self.identity[key] != other.identity[key]:
                raise InputError(
                    "stores-not-comparable",
                    f"{self.identity[key]!r} here, but {other.identity[key]!r} in {other.path}, so they cannot be "
                    "compared; delete the older one and run again",
                    path=self.path,
                    key=key,
                )

    def dataset(self, name: str) -> h5py.Dataset:
        """A column of the store, not yet read. Raises `InputError` if the store does not have it."""
        if name not in self._file:
            sentence = f"this store has no {name} gradients, only {' and '.join(self.identity['kinds'])}"
            raise InputError("kind-not-stored", sentence, path=self.path, key=name)
        return dataset(self._file, name)

    def _read(self, name: str) -> np.ndarray:
        with shard_markers.naming_the_shard(self.path), corruption_as_input_error(self.path, name):
            return self.dataset(name)[:]


def _read_through(store: h5py.File) -> None:
    """Read everything once, so that HDF5 raises for a wrong checksum."""
    for column in datasets(store).values():
        rows = column.chunks[0] if column.chunks else len(column)
        for start in range(0, len(column), rows):
            column[start : start + rows]


def _difference(one: h5py.File, other: h5py.File) -> str:
    left, right = read_identity(one), read_identity(other)
    return ", ".join(sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key)))
