"""The HDF5 store: what is written is read, and what does not belong together is rejected."""

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.rejections import rejected

from instruction_selection.features.gradients import store

DIMENSION = 16
IDENTITY = {
    "model": "m",
    "adapter": "a",
    "moments": "x",
    "rows": "r",
    "parameters": {"count": 4, "order": "o"},
    "projection": {"kind": "sjlt", "dimension": DIMENSION, "seed": 0},
    "template": "t",
    "cutoff_len": 8,
    "precision": "fp32",
    "code": "c",
}
ROWS = np.random.default_rng(0).normal(size=(10, DIMENSION)).astype(np.float32)
IDS = [f"{number:016d}" for number in range(10)]


def write(path, rows=range(10), identity=IDENTITY, gradients=ROWS, tokens=3, order=None, ids=IDS):
    rows = list(rows)
    with store.Writer(path, [ids[row] for row in rows], DIMENSION, ["adam"], identity) as writer:
        for position in order or range(len(rows)):
            row = rows[position]
            writer.write([position], {"adam": gradients[row : row + 1]}, np.ones(1), [tokens])
    return path


def test_rows__come_back_as_unit_rows_with_their_norms(tmp_path):
    reader = store.Reader(write(tmp_path / "0.h5"))
    assert reader.ids == IDS
    assert reader.usable.all()
    np.testing.assert_allclose(reader.norms("adam"), np.linalg.norm(ROWS, axis=1), rtol=1e-6)
    np.testing.assert_allclose(reader.unit("adam") * reader.norms("adam")[:, None], ROWS, atol=5e-3)


def test_order_of_writing__does_not_matter(tmp_path):
    one = store.Reader(write(tmp_path / "one.h5"))
    other = store.Reader(write(tmp_path / "other.h5", order=range(9, -1, -1)))
    assert np.array_equal(one.unit("adam"), other.unit("adam"))


@pytest.mark.parametrize("cuts", [[], [5], [1, 2, 9], [3, 4]])
def test_number__of_shards_gives_the_same_store(tmp_path, cuts):
    whole = store.Reader(write(tmp_path / "whole.h5"))
    edges = [0, *cuts, 10]
    shards = [
        write(tmp_path / "shards" / f"{number}.h5", range(start, end))
        for number, (start, end) in enumerate(zip(edges, edges[1:], strict=False))
    ]
    store.gather(shards, tmp_path / "pool.h5", 10)
    gathered = store.Reader(tmp_path / "pool.h5")
    assert gathered.ids == whole.ids
    assert gathered.identity == whole.identity
    assert np.array_equal(gathered.unit("adam"), whole.unit("adam"))
    assert np.array_equal(gathered.norms("adam"), whole.norms("adam"))


def test_gathering__copies_nothing_and_the_folder_may_move(tmp_path):
    (tmp_path / "here").mkdir()
    shards = [write(tmp_path / "here" / "shards" / "0.h5")]
    store.gather(shards, tmp_path / "here" / "pool.h5", 10)
    with h5py.File(tmp_path / "here" / "pool.h5") as file:
        assert file["adam"].is_virtual
    (tmp_path / "here").rename(tmp_path / "there")
    assert store.Reader(tmp_path / "there" / "pool.h5").unit("adam").any()


def test_killed_job__resumes_where_it_stopped(tmp_path):
    path = tmp_path / "0.h5"
    writer = store.Writer(path, IDS, DIMENSION, ["adam"], IDENTITY)
    writer.write([4, 2], {"adam": ROWS[[4, 2]]}, np.ones(2), [3, 3])
    writer._file.close()
    assert not path.exists()
    with store.Writer(path, IDS, DIMENSION, ["adam"], IDENTITY) as writer:
        missing = np.flatnonzero(writer.missing())
        assert missing.tolist() == [0, 1, 3, 5, 6, 7, 8, 9]
        for row in missing:
            writer.write([row], {"adam": ROWS[row : row + 1]}, np.ones(1), [3])
    assert np.array_equal(store.Reader(path).unit("adam"), store.Reader(write(tmp_path / "whole.h5")).unit("adam"))


def test_partial_file__of_something_else_is_not_continued(tmp_path):
    path = tmp_path / "0.h5"
    writer = store.Writer(path, IDS, DIMENSION, ["adam"], {**IDENTITY, "rows": "others"})
    writer.write([0], {"adam": ROWS[:1]}, np.ones(1), [3])
    writer._file.close()
    assert store.Writer(path, IDS, DIMENSION, ["adam"], IDENTITY).missing().all()


def test_partial_file__that_cannot_be_read_is_replaced(tmp_path, capsys):
    (tmp_path / ".0.h5.partial").write_bytes(b"half a file")
    write(tmp_path / "0.h5")
    assert "starting over" in capsys.readouterr().out
    assert store.Reader(tmp_path / "0.h5").ids == IDS


def test_incomplete_store__gets_no_name(tmp_path):
    writer = store.Writer(tmp_path / "0.h5", IDS, DIMENSION, ["adam"], IDENTITY)
    with pytest.raises(RuntimeError, match="10 rows were never written"), writer:
        pass
    assert not (tmp_path / "0.h5").exists()


@pytest.mark.parametrize(("value", "tokens"), [(np.nan, 3), (np.inf, 3), (0.0, 3), (1.0, 0)])
def test_rows__that_cannot_be_used_are_marked_and_not_silently_zero(tmp_path, value, tokens):
    gradients = ROWS.copy()
    gradients[4] = value
    path = write(tmp_path / "0.h5", gradients=gradients)
    if tokens == 0:
        path = write(tmp_path / "empty.h5", tokens=0)
        assert not store.Reader(path).usable.any()
        return
    reader = store.Reader(path)
    assert np.flatnonzero(~reader.usable).tolist() == [4]
    assert not reader.unit("adam")[4].any()
    assert np.isfinite(reader.unit("adam")).all()


@pytest.mark.parametrize(
    "key", ["model", "adapter", "projection", "template", "parameters", "cutoff_len", "precision", "code"]
)
def test_stores__that_cannot_be_compared_are_rejected(tmp_path, key):
    one = store.Reader(write(tmp_path / "one.h5"))
    other = store.Reader(write(tmp_path / "other.h5", identity={**IDENTITY, key: "else"}))
    with rejected("stores-not-comparable", path="one.h5", key=key):
        one.check_comparable(other)


def test_pool__and_validation_rows_of_one_model_can_be_compared(tmp_path):
    one = store.Reader(write(tmp_path / "one.h5"))
    one.check_comparable(
        store.Reader(write(tmp_path / "other.h5", identity={**IDENTITY, "rows": "v", "moments": None}))
    )


@pytest.mark.parametrize("key", ["rows", "moments", "projection"])
def test_shards__of_different_things_are_not_gathered(tmp_path, key):
    shards = [
        write(tmp_path / "0.h5", range(5)),
        write(tmp_path / "1.h5", range(5, 10), identity={**IDENTITY, key: "else"}),
    ]
    with rejected("shards-differ", path="1.h5") as caught:
        store.gather(shards, tmp_path / "pool.h5", 10)
    assert f"({key})" in str(caught.value)


def test_store__is_rejected_if_a_shard_is_missing(tmp_path):
    shards = [write(tmp_path / "0.h5", range(5)), write(tmp_path / "1.h5", range(5, 10))]
    store.gather(shards, tmp_path / "pool.h5", 10)
    shards[1].unlink()
    with rejected("store-missing", path="1.h5"):
        store.Reader(tmp_path / "pool.h5")


def test_flipped_bit__is_found(tmp_path):
    path = write(tmp_path / "0.h5")
    with h5py.File(path) as file:
        chunk = file["adam"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 5] ^= 1
    path.write_bytes(content)
    with rejected("store-damaged", path="0.h5"):
        store.Reader(path).unit("adam")


def test_reader__file_that_is_not_a_store_is_rejected(tmp_path):
    (tmp_path / "0.h5").write_text("no")
    with rejected("store-damaged", path="0.h5"):
        store.Reader(tmp_path / "0.h5")


def test_gathered_store__has_the_rows_of_its_pool(tmp_path):
    shards = [write(tmp_path / "0.h5", range(5))]
    with rejected("shards-incomplete", path="pool.h5"):
        store.gather(shards, tmp_path / "pool.h5", 10)


ids = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ids, min_size=10, max_size=10))
def test_gather__any_ids_come_back_as_they_were(tmp_path, ids):
    shards = [write(tmp_path / "0.h5", range(7), ids=ids), write(tmp_path / "1.h5", range(7, 10), ids=ids)]
    store.gather(shards, tmp_path / "pool.h5", 10)
    assert store.Reader(tmp_path / "pool.h5").ids == ids


@pytest.mark.parametrize("unfit", ["", "a\0", "\0b", "\ud800"])
def test_writer__an_id_that_would_not_come_back_is_rejected_before_anything_is_computed(tmp_path, unfit):
    with rejected("id-not-storable", path="0.h5", key="id"):
        store.Writer(tmp_path / "0.h5", [*IDS[:9], unfit], DIMENSION, ["adam"], IDENTITY)
