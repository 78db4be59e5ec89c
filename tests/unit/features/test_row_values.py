"""Values of rows in HDF5."""

import numpy as np
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.features import checksummed_hdf5, row_values


def written(folder, ids):
    rows = [{"id": identity, "task": "t", "instruction": "i", "response": "r"} for identity in ids]
    files.write_jsonl(folder / "rows.jsonl", rows)
    row_values.write(
        folder / "rows.h5", folder / "rows.jsonl", rows, "embedding", np.ones((len(rows), 2), np.float32), {}
    )
    return folder / "rows.h5"


def test_write__ids_of_any_length_come_back(tmp_path):
    ids = ["0123456789abcdef", "0123456789abcdef-2", "größer als", "x" * 300]
    with checksummed_hdf5.open_verified(written(tmp_path, ids)) as store:
        assert [name.decode() for name in store["id"][:]] == ids


def test_write__an_id_that_would_not_come_back_is_rejected(tmp_path):
    with rejected("id-not-storable", path="rows.h5", key="id"):
        written(tmp_path, ["a", "b\0"])
    assert not (tmp_path / "rows.h5").exists()
