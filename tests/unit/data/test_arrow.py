"""A data set that `datasets` has saved to disk is read as it is."""

import datasets
from support.rejections import rejected

from instruction_selection.data import formats

LAYOUT = {"member": None, "columns": None, "key": None}


def test_saved_data_set__is_read_in_its_order(tmp_path):
    rows = [{"question": str(n), "turns": [{"role": "user", "content": "x" * n}]} for n in range(2500)]
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved", num_shards=1)
    [path] = (tmp_path / "saved").glob("*.arrow")
    assert [record for record, _ in formats.read(path, LAYOUT)] == rows


def test_arrow_file__that_is_damaged_is_rejected(tmp_path):
    path = tmp_path / "data.arrow"
    path.write_bytes(b"no data set")
    with rejected("unreadable", path=path):
        list(formats.read(path, LAYOUT))
