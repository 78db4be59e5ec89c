"""The number of shards of a store that is begun."""

from instruction_selection.core import shards

ONE, OTHER = shards.digest({"dimension": 8}), shards.digest({"dimension": 9})


def test_recorded__is_the_number_of_what_the_same_settings_made(tmp_path):
    shards.record(tmp_path / "0.h5", 4, OTHER)
    shards.record(tmp_path / "1.h5", 2, ONE)
    assert shards.recorded(tmp_path, ONE) == 2
    assert shards.recorded(tmp_path, OTHER) == 4


def test_recorded__is_none_where_no_shard_is_finished(tmp_path):
    assert shards.recorded(tmp_path / "nowhere", ONE) is None
    shards.record(tmp_path / "0.h5", 4, OTHER)
    assert shards.recorded(tmp_path, ONE) is None


def test_recorded__does_not_read_a_damaged_record(tmp_path):
    shards.record(tmp_path / "0.h5", 4, ONE)
    path = tmp_path / "0.json"
    for damaged in (b"", path.read_bytes()[:20], path.read_bytes().replace(b"4", b"5", 1), b"{}"):
        path.write_bytes(damaged)
        assert shards.recorded(tmp_path, ONE) is None


def test_digest__does_not_depend_on_the_order_of_keys():
    assert shards.digest({"a": 1, "b": {"c": 2, "d": 3}}) == shards.digest({"b": {"d": 3, "c": 2}, "a": 1})
