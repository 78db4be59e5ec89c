"""Files given for gradient stores that are none, or not of the same kind: refused by name."""

import json

import h5py
import numpy as np
import pytest

from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.features.gradients import store


def written(path, dimension=4, kinds=("adam",), **identity):
    known = {key: key for key in store.COMPARABLE if key != "schema_version"} | {"projection": dimension} | identity
    with store.Writer(path, 2, dimension, list(kinds), known) as writer:
        gradients = {kind: np.eye(2, dimension) for kind in kinds}
        writer.write([0, 1], ["a" * 16, "b" * 16], gradients, np.ones(2), [1, 1])
    return path


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x89HDF\r\n\x1a\n", b'{"id": 1}\n'])
def test_a_file_that_is_no_store(tmp_path, content):
    (tmp_path / "pool.h5").write_bytes(content)
    with pytest.raises(InputError, match=r"pool\.h5: damaged, cut short or not a store at all; delete the file"):
        store.Reader(tmp_path / "pool.h5")


def test_a_store_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"pool\.h5: is not there any more; run again"):
        store.Reader(tmp_path / "pool.h5")


def test_shards_of_another_dimension_are_not_joined(tmp_path):
    shards = [written(tmp_path / "0.h5"), written(tmp_path / "1.h5", dimension=8)]
    with pytest.raises(InputError, match=r"1\.h5: made from something else than .*0\.h5 \(projection\)"):
        store.gather(shards, tmp_path / "pool.h5", 4)
    assert not (tmp_path / "pool.h5").exists()


def test_shards_of_another_pool_are_not_joined(tmp_path):
    with pytest.raises(InputError, match=r"pool\.h5: its shards have 2 rows, and the pool has 3"):
        store.gather([written(tmp_path / "0.h5")], tmp_path / "pool.h5", 3)


def test_rows_that_are_not_kept_are_named(tmp_path):
    with pytest.raises(InputError, match=r"pool\.h5: has no sgd rows; it has adam"):
        store.Reader(written(tmp_path / "pool.h5")).unit("sgd")


@pytest.mark.parametrize("key", [key for key in store.COMPARABLE if key != "schema_version"])
def test_stores_that_cannot_be_compared_say_why(tmp_path, key):
    one, other = written(tmp_path / "pool.h5"), written(tmp_path / "validation.h5", **{key: "another"})
    with pytest.raises(InputError, match=f"cannot be compared: {key} is "):
        store.Reader(one).refuse_unless_comparable(store.Reader(other))


def test_what_a_store_says_of_itself_is_text_and_no_object(tmp_path):
    with h5py.File(written(tmp_path / "pool.h5"), "r") as opened:
        assert json.loads(opened.attrs["identity"])["kinds"] == ["adam"]
        assert not [dataset for dataset in opened.values() if dataset.dtype.hasobject]
