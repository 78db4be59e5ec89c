"""Rows in memory and in files are the same rows."""

import h5py
import numpy as np
import pytest
from support.rejections import rejected

from instruction_selection.features import matrix
from instruction_selection.features.matrix import Hdf5Matrix, InMemoryMatrix, WeightedMean

VALUES = np.random.default_rng(0).normal(size=(23, 6)).astype(np.float16)
# Subnormal numbers, the largest and the smallest.
VALUES[3] = [6e-8, -6e-8, 65504, -65504, 6.1e-5, -0.0]
NUMBERS = np.array([2, 3, 4, 9, 10, 17, 22, 21, 5, 5])


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file.create_dataset("half", data=VALUES, chunks=(4, 6), fletcher32=True)
        file.create_dataset("single", data=VALUES.astype(np.float32))
    return tmp_path / "rows.h5"


def mask_of(rows) -> np.ndarray:
    return np.arange(len(rows)) % 3 == 0


@pytest.mark.parametrize("name", ["half", "single"])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_matrix__is_equal_in_a_file_and_in_memory(path, monkeypatch, name, size):
    monkeypatch.setattr(matrix, "BLOCK", size)
    with h5py.File(path) as file:
        stored = Hdf5Matrix(file[name], path)
        memory = InMemoryMatrix(VALUES.astype(np.float32))
        # With weights that single precision holds exactly, the mean of twice the same is the same.
        mean = WeightedMean([stored, memory], [1, 3])
        columns = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
        pairs = [(ours, memory) for ours in (stored, memory, mean)]
        for ours, theirs in [*pairs, *((ours.at(NUMBERS), memory.at(NUMBERS)) for ours, _ in pairs)]:
            assert ours.shape == theirs.shape
            assert ours.unit.dtype == np.float32
            assert np.array_equal(ours.unit, theirs.unit)
            for pieces in (1, 3):
                blocks = [(start, block.copy()) for start, block in ours.blocks(pieces)]
                assert [start for start, _ in blocks] == list(range(0, len(ours), pieces * size))
                assert np.array_equal(np.concatenate([block for _, block in blocks]), theirs.unit)
            assert np.array_equal(ours.take(np.array([6, 0, 6])), theirs.unit[[6, 0, 6]])
            assert np.array_equal(ours.raw(np.array([6, 0, 6])), theirs.unit[[6, 0, 6]])
            assert np.allclose(ours @ columns, theirs.unit @ columns, rtol=1e-5)
            assert np.array_equal(ours @ columns, ours.on("cpu") @ columns)
            assert ours.on("cpu").at(mask_of(ours)).device == "cpu"
            assert np.array_equal(ours.at(mask_of(ours)).unit, theirs.at(mask_of(theirs)).unit)


def test_matrix__reports_damage_when_it_is_read(path):
    with h5py.File(path) as file:
        offset = file["half"].id.get_chunk_info(2).byte_offset
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"damage")
    with h5py.File(path) as file:
        rows = Hdf5Matrix(file["half"], path)
        assert np.array_equal(rows.take(np.arange(8)), VALUES[:8].astype(np.float32))
        with rejected("dataset-damaged", path="rows.h5", key="half"):
            rows.take(np.array([8]))
        with rejected("dataset-damaged", path="rows.h5", key="half"):
            list(rows.blocks())


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_weighted_mean__keeps_the_dtype(kind):
    rows = [np.full((2, 3), value, dtype=kind) for value in (1, 3)]
    mean = matrix.weighted_mean(rows, [3e-6, 1e-6])
    assert mean.dtype == np.dtype(kind)
    assert mean == pytest.approx(np.full((2, 3), 1.5), rel=2e-3)
