"""From files of features to what methods read, and whether the files belong to the examples and to each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import h5py
import numpy as np

from instruction_selection.core.errors import InputError
from instruction_selection.core.features import FEATURES, Feature
from instruction_selection.features import checksummed_hdf5
from instruction_selection.features.checksummed_hdf5 import corruption_as_input_error
from instruction_selection.features.gradients.shard_markers import naming_the_shard
from instruction_selection.features.gradients.store import Reader
from instruction_selection.features.matrix import Hdf5Matrix, InMemoryMatrix
from instruction_selection.selection.contract import Values
from instruction_selection.selection.examples import Examples
from instruction_selection.selection.texts import Texts


@dataclass(frozen=True)
class Part:
    """A feature of one file of examples, and, where it has a file of its own, what that says of itself."""

    values: Values
    ids: list[str] | None = None
    identity: dict | None = None
    store: Reader | None = None


@dataclass(frozen=True)
class Source:
    """Files of examples by side (several of a joint target), each with the names of its examples' subtasks.

    `made_with` are entries that identities of stores must not contradict; with None, and only then, stores may also be
    of other files of examples that have the same ids.
    """

    examples: Mapping[str, Sequence[Examples]]
    subtasks: Sequence[np.ndarray]
    made_with: Mapping | None = None
    #: Of torch's, on which the pool's matrices are computed with; None is the processor.
    device: str | None = None


def read(paths: Mapping[str, Sequence[str]], source: Source) -> tuple[dict[str, Values], dict[str, dict]]:
    """Features by name, and the identity of each gradient store.

    `paths` has for each feature its files, one per file of examples. Raises `InputError` for a store that is damaged,
    of other examples, made with something else, or not comparable with the other stores.
    """
    features: dict[str, Values] = {}
    identities: dict[str, dict] = {}
    stores: list[Reader] = []
    for name, files in paths.items():
        feature = FEATURES[name]
        parts = [
            READERS[feature.reader](feature, path, examples)
            for path, examples in zip(files, source.examples[feature.side], strict=True)
        ]
        for number, (path, part) in enumerate(zip(files, parts, strict=True)):
            _reject_unless_of(path, part, source.examples[feature.side][number], feature, source.made_with)
        features[name] = _joined(feature, files, [part.values for part in parts], source)
        found = [part.store for part in parts if part.store]
        if found:
            identities[name] = found[0].identity
        stores += found
    for other in stores[1:]:
        stores[0].check_comparable(other)
    return features, identities


def _reject_unless_of(path: str, part: Part, examples: Examples, feature: Feature, made_with: Mapping | None) -> None:
    if part.identity is not None and made_with is not None:
        checksummed_hdf5.check_identity(path, part.identity, {**made_with, "rows": examples.sha256})
    if part.ids is not None and part.ids != examples.ids:
        sentence = f"its rows are not those of the {feature.side} that it is used with; delete it and run again"
        raise InputError("features-of-other-examples", sentence, path=path)


def _joined(feature: Feature, paths: Sequence[str], parts: Sequence[Values], source: Source) -> Values:
    """A pool has one part; those of a joint target are one after the other, in memory."""
    if feature.side == "pool":
        return parts[0].on(source.device) if isinstance(parts[0], Hdf5Matrix) else parts[0]
    subtasks = source.subtasks
    if feature.form == "numbers":
        return np.concatenate([part for part in parts if isinstance(part, np.ndarray)])
    if feature.form == "texts":
        return Texts.concatenated([part for part in parts if isinstance(part, Texts)], subtasks)
    matrices = [part for part in parts if not isinstance(part, np.ndarray | Texts)]
    named = [matrix.with_subtasks(names) for matrix, names in zip(matrices, subtasks, strict=True)]
    for path, matrix in zip(paths, named, strict=True):
        if not matrix.usable.any():
            sentence = "no validation row has a usable gradient; see the log of the job that made it"
            raise InputError("no-usable-validation-example", sentence, path=path)
    return InMemoryMatrix.concatenated(named)


def _gradients(feature: Feature, path: str, _: Examples) -> Part:
    store, kind = Reader(path), str(feature.dataset)
    # The store's own judgement: a row may have a gradient and no response.
    norms = np.where(store.usable, store.norms(kind), np.float32(0))
    return Part(Hdf5Matrix(store.dataset(kind), path, norms), store.ids, store.identity, store)


def _gradient_losses(feature: Feature, path: str, _: Examples) -> Part:
    store, name = Reader(path), str(feature.dataset)
    with naming_the_shard(path), corruption_as_input_error(path, name):
        losses = store.dataset(name)[:]
    # An example without a gradient cannot be chosen by its loss either.
    return Part(np.where(store.usable, losses, np.float32(np.nan)), store.ids, store.identity, store)


def _vectors(feature: Feature, path: str, _: Examples) -> Part:
    store, ids = _opened(path)
    matrix = Hdf5Matrix(checksummed_hdf5.dataset(store, str(feature.dataset)), path)
    return Part(matrix, ids, checksummed_hdf5.read_identity(store))


def _numbers(feature: Feature, path: str, _: Examples) -> Part:
    store, ids = _opened(path)
    with corruption_as_input_error(path, str(feature.dataset)):
        values = checksummed_hdf5.dataset(store, str(feature.dataset))[:]
    return Part(values, ids, checksummed_hdf5.read_identity(store))


def _opened(path: str) -> tuple[h5py.File, list[str]]:
    """A file with a row per example, and the examples' ids."""
    store = checksummed_hdf5.open_verified(path)
    with corruption_as_input_error(path, "id"):
        return store, [name.decode() for name in checksummed_hdf5.dataset(store, "id")[:]]


def _text(_: Feature, __: str, examples: Examples) -> Part:
    return Part(Texts(examples.texts, np.arange(len(examples))))


def _response_lengths(_: Feature, __: str, examples: Examples) -> Part:
    return Part(examples.response_lengths)


#: By `Feature.reader`: (the feature, its file, the examples that it is of) -> its values.
READERS: dict[str, Callable[[Feature, str, Examples], Part]] = {
    "gradient_store": _gradients,
    "gradient_losses": _gradient_losses,
    "vectors": _vectors,
    "numbers": _numbers,
    "text": _text,
    "response_lengths": _response_lengths,
}
