"""What a method is given, and what it returns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from instruction_selection.core.errors import InputError
from instruction_selection.core.features import FEATURES
from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.selection.texts import Texts

#: What a method reads under a feature's name, by its `Form`: (N, D); an array (N,) or (N, k); N texts.
Values = FeatureMatrix | np.ndarray | Texts


@dataclass(frozen=True)
class Checkpoint:
    """Features under one checkpoint of the warm-up, which are its attributes too (`checkpoint.pool_gradients`).

    `weight` is what the checkpoint counts, in any unit: the mean learning rate of its epoch.
    """

    features: Mapping[str, Values]
    weight: float = 1.0

    def __getattr__(self, name: str) -> Any:
        if name in FEATURES:
            return _declared(self.features, name)
        raise AttributeError(name)


@dataclass(frozen=True)
class Inputs:
    """What a method may look at: the number of examples in the pool, and the features that its config file declares.

    A feature is an attribute: `inputs.pool_embeddings` is a `FeatureMatrix`, `inputs.pool_text` are `Texts`,
    `inputs.pool_lengths` is int64 (N,), in characters of the response. `checkpoints` are those of the warm-up that the
    method reads, oldest first; the last is the end of the warm-up, and `inputs.pool_gradients` are the gradients under
    it. `memory_mib` MiB may be used; the result does not depend on it.
    """

    pool_size: int
    features: Mapping[str, Values] = field(default_factory=dict)
    checkpoints: tuple[Checkpoint, ...] = ()
    memory_mib: int = 8000

    @classmethod
    def of(cls, pool_size: int, memory_mib: int = 8000, **features: Values) -> "Inputs":
        """From features by name, those of a checkpoint being of the end of the warm-up."""
        last = {name: values for name, values in features.items() if FEATURES[name].per_checkpoint}
        fixed = {name: values for name, values in features.items() if name not in last}
        return cls(pool_size, fixed, (Checkpoint(last),) if last else (), memory_mib)

    def __getattr__(self, name: str) -> Any:
        if name not in FEATURES:
            raise AttributeError(name)
        last = self.checkpoints[-1].features if self.checkpoints else {}
        return _declared(last if FEATURES[name].per_checkpoint else self.features, name)

    def over_checkpoints(self, *names: str) -> Iterator[list]:
        """For each feature its matrices under every checkpoint, oldest first; at the end the checkpoints' weights."""
        for name in names:
            yield [getattr(checkpoint, name) for checkpoint in self.checkpoints]
        yield [checkpoint.weight for checkpoint in self.checkpoints]

    def usable(self) -> np.ndarray:
        """bool (N,): examples of the pool all of whose features can be used."""
        masks = [_usable(values) for name, values in self._all() if FEATURES[name].side == "pool"]
        return np.logical_and.reduce([np.ones(self.pool_size, dtype=bool), *masks])

    def at(self, indices: np.ndarray) -> "Inputs":
        """Of a pool that has only the examples `indices`, in that order."""
        pool = {name: indices for name, feature in FEATURES.items() if feature.side == "pool"}
        return replace(self._restricted(pool), pool_size=len(indices))

    def without_unusable_validation_examples(self) -> "Inputs":
        """Raises `InputError` if a feature can be used of no validation example."""
        masks: dict[str, np.ndarray] = {}
        for name, values in self._all():
            if FEATURES[name].side == "validation":
                masks[name] = masks.get(name, True) & _usable(values)
        for name, mask in masks.items():
            if not mask.any():
                sentence = f"no validation example can be used: all {name.replace('_', ' ')} are zero or not finite"
                raise InputError("no-usable-validation-example", sentence)
        return self if all(mask.all() for mask in masks.values()) else self._restricted(masks)

    def _all(self) -> Iterator[tuple[str, Values]]:
        """Every feature, under every checkpoint."""
        for features in (self.features, *(checkpoint.features for checkpoint in self.checkpoints)):
            yield from features.items()

    def _restricted(self, kept: Mapping[str, np.ndarray]) -> "Inputs":
        """Of each feature in `kept` only the examples at these indices, or where a mask holds."""

        def restricted(features: Mapping[str, Any]) -> dict[str, Any]:
            found = dict(features)
            for name in features.keys() & kept.keys():
                values, indices = features[name], kept[name]
                found[name] = values[indices] if isinstance(values, np.ndarray) else values.at(indices)
            return found

        checkpoints = (Checkpoint(restricted(each.features), each.weight) for each in self.checkpoints)
        return replace(self, features=restricted(self.features), checkpoints=tuple(checkpoints))


def _usable(values: Values) -> np.ndarray:
    """bool (N,): a row with a norm, finite numbers, or any text."""
    if isinstance(values, np.ndarray):
        return np.asarray(np.isfinite(values).reshape(len(values), -1).all(1))
    return np.ones(len(values), dtype=bool) if isinstance(values, Texts) else values.usable


def _declared(features: Mapping[str, Values], name: str) -> Values:
    if name not in features:
        raise AttributeError(f"{name} is not there; name it under `needs` in the method's file in config/methods.")
    return features[name]


@dataclass(frozen=True)
class Components:
    """The features whose principal components a method followed, for the diagnostics in `selection.json`.

    `explained` says whether they are the components of the validation features as they are, centred and with their
    norms, so that the variance which these explain is of interest.
    """

    pool: str
    validation: str
    explained: bool = True


@dataclass
class Selection:
    """Indices of pool examples in the order chosen, without repetition, and `details` for `selection.json`.

    In `details`, at any depth, an example stands by its index under the key `anchor`. A method that walks along
    principal components has a list `components` there, one entry per walk, and names their features in `components`.
    `scores`, float32 (N,), are of every example that the method looked at, if it has any; larger is better, and NaN is
    for examples that it would choose with no budget. A method with a function `score` need not set them.
    """

    indices: np.ndarray
    details: dict[str, Any] = field(default_factory=dict)
    components: Components | None = None
    scores: np.ndarray | None = None
