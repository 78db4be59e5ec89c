"""Files that are not gradient stores, or not comparable ones, are rejected by name."""

import json

import h5py
import numpy as np
import pytest
from support.rejections import rejected

from instruction_selection.features.gradients import store


def written(path, dimension=4, kinds=("adam",), **identity):
    known = {key: key for key in store.COMPARABLE if key != "schema_version"} | {"projection": dimension} | identity
    with store.Writer(path, ["a" * 16, "b" * 16], dimension, list(kinds), known) as writer:
        gradients = {kind: np.eye(2, dimension) for kind in kinds}
        writer.write([0, 1], gradients, np.ones(2), [1, 1])
    return path


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x89HDF\r\n\x1a\n", b'{"id": 1}\n'])
def test_store__is_rejected_if_the_file_is_none(tmp_path, content):
    (tmp_path / "pool.h5").write_bytes(content)
    with rejected("store-damaged", path="pool.h5"):
        store.Reader(tmp_path / "pool.h5")


def test_store__is_rejected_if_it_is_missing(tmp_path):
    with rejected("store-missing", path="pool.h5"):
        store.Reader(tmp_path / "pool.h5")


def test_shards__of_another_dimension_are_not_joined(tmp_path):
    shards = [written(tmp_path / "0.h5"), written(tmp_path / "1.h5", dimension=8)]
    with rejected("shards-differ", path="1.h5"):
        store.gather(shards, tmp_path / "pool.h5", 4)
    assert not (tmp_path / "pool.h5").exists()


def test_shards__of_another_pool_are_not_joined(tmp_path):
    with rejected("shards-incomplete", path="pool.h5"):
        store.gather([written(tmp_path / "0.h5")], tmp_path / "pool.h5", 3)


def test_rows__that_are_not_kept_are_named(tmp_path):
    with rejected("kind-not-stored", path="pool.h5", key="sgd"):
        store.Reader(written(tmp_path / "pool.h5")).unit("sgd")


@pytest.mark.parametrize("key", [key for key in store.COMPARABLE if key != "schema_version"])
def test_stores__that_cannot_be_compared_say_why(tmp_path, key):
    one, other = written(tmp_path / "pool.h5"), written(tmp_path / "validation.h5", **{key: "another"})
    with rejected("stores-not-comparable", path="pool.h5", key=key):
        store.Reader(one).check_comparable(store.Reader(other))


def test_store__describes_itself_in_text_without_objects(tmp_path):
    with h5py.File(written(tmp_path / "pool.h5"), "r") as opened:
        assert json.loads(opened.attrs["identity"])["kinds"] == ["adam"]
        assert not [dataset for dataset in opened.values() if dataset.dtype.hasobject]
