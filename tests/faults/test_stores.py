"""A store that could not be written, was damaged, or was made with other inputs."""

import json
import os
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.rejections import rejected
from support.running import RESULTS, Run, damage, digest, jobs_of, sentence

from instruction_selection.core import files
from instruction_selection.features import checksummed_hdf5
from instruction_selection.features.gradients import store
from instruction_selection.features.matrix import Hdf5Matrix
from instruction_selection.selection import job

pytestmark = pytest.mark.slow

GRADIENTS = f"{RESULTS}/gradients/tiny-llama/reasoning/checkpoint1"
LESS = f"{RESULTS}/runs/tiny-llama/reasoning/logic/less/0.25/seed0"


def flipped(content: bytes, bit: int | None = None) -> bytes:
    bit = len(content) * 4 if bit is None else bit
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("change", [lambda content: content[:-1000], flipped], ids=["cut short", "one bit"])
def test_damaged_shard__is_named_and_made_again(copy, undisturbed, change):
    shard, chosen = f"{GRADIENTS}/shards/1.h5", f"{LESS}/selected.jsonl"
    damage(copy.path / shard, change)
    (copy.path / chosen).unlink()
    done = copy.snakemake("--", chosen)
    sentence(done, f"{shard}: is damaged, truncated or not a feature store; delete the file and run again.")
    assert not (copy.path / chosen).exists()

    (copy.path / shard).unlink()
    assert jobs_of(copy.finish("--", chosen)) == ["pool_gradients", "gather_pool_gradients", "select_rows"]
    assert (copy.path / chosen).read_bytes() == (undisturbed.path / chosen).read_bytes()
    with_other, with_own = (store.Reader(run.path / GRADIENTS / "pool.h5") for run in (copy, undisturbed))
    assert np.array_equal(with_other.unit("adam"), with_own.unit("adam"))
    copy.finish()
    assert copy.tables() == undisturbed.tables()


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> tuple[Path, Path]:
    """A gathered store and one of its two shards."""
    folder = tmp_path_factory.mktemp("small")
    rows = np.random.default_rng(0).normal(size=(10, 16)).astype(np.float32)
    for shard in (0, 1):
        ids = [f"{shard}{number:015d}" for number in range(5)]
        with store.Writer(folder / f"{shard}.h5", ids, 16, ["adam"], {"rows": "r"}) as writer:
            writer.write(list(range(5)), {"adam": rows[5 * shard : 5 * shard + 5]}, np.ones(5), [1] * 5)
    store.gather([folder / "0.h5", folder / "1.h5"], folder / "pool.h5", 10)
    return folder / "pool.h5", folder / "1.h5"


@pytest.mark.parametrize("which", [0, 1], ids=["gathered", "shard"])
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_store__with_a_flipped_bit_or_a_cut_is_noticed(small, which, data):
    """HDF5's own checksums are not enough: of 2,500 bits outside of the data, 76 gave other numbers in silence."""
    path = small[which]
    whole = path.read_bytes()
    bits = st.integers(0, len(whole) * 8 - 1)
    # Between the checksum and HDF5's part is nothing.
    bits = bits.filter(lambda bit: not 64 <= bit // 8 < checksummed_hdf5.USER_BLOCK)
    changed = data.draw(st.one_of(bits.map(lambda bit: flipped(whole, bit)), bits.map(lambda bit: whole[: bit // 8])))
    try:
        path.write_bytes(changed)
        with rejected("store-damaged", path=path):
            store.Reader(small[0])
    finally:
        path.write_bytes(whole)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_shard__with_a_flipped_bit_is_noticed_though_its_time_is_the_same(small, data):
    """At opening, or in the matrix when it is read; the sentence names the shard either way."""
    pool, shard = small
    whole = shard.read_bytes()
    bits = st.integers(0, len(whole) * 8 - 1).filter(lambda bit: not 64 <= bit // 8 < checksummed_hdf5.USER_BLOCK)
    bit = data.draw(bits)
    store.gather([pool.with_name("0.h5"), shard], pool, 10)
    try:
        damage(shard, lambda content: flipped(content, bit))
        with rejected("store-damaged", path=shard):
            store.Reader(pool).unit("adam")
    finally:
        damage(shard, lambda _: whole)


def test_shard__is_hashed_at_opening_only_if_its_time_or_size_differs(small):
    pool, shard = small
    whole = shard.read_bytes()
    with h5py.File(shard) as file:
        place = file["adam"].id.get_chunk_info(0).byte_offset
    store.gather([pool.with_name("0.h5"), shard], pool, 10)
    try:
        damage(shard, lambda content: flipped(content, 8 * place))
        opened = store.Reader(pool)
        assert len(opened) == 10
        with rejected("store-damaged", path=shard):
            Hdf5Matrix(opened.dataset("adam"), pool).take(np.array([7]))
        os.utime(shard)
        with rejected("store-damaged", path=shard):
            store.Reader(pool)
    finally:
        shard.write_bytes(whole)
    (pool.with_name(f".{pool.name}.verified.json")).write_text("{")
    assert len(store.Reader(pool)) == 10


def test_shard__in_the_place_of_another_is_rejected(small):
    pool, shard = small
    whole = shard.read_bytes()
    try:
        shard.write_bytes(shard.with_name("0.h5").read_bytes())
        with rejected("other-shard", path=shard):
            store.Reader(pool)
    finally:
        shard.write_bytes(whole)


#: What a store may be of, and another value of it.
OTHERS = {
    "model": "0" * 64,
    "adapter": "0" * 64,
    "rows": "0" * 64,
    "projection": {"kind": "sjlt", "dimension": 256, "seed": 1},
    "template": "alpaca",
    "cutoff_len": 64,
    "precision": "bf16",
}


def relabelled(path: Path, key: str, value: object) -> None:
    """What a run with another model, adapter, pool, projection or template would have written there."""
    with h5py.File(path, "r+") as file:
        identity = json.loads(file.attrs["identity"])
        assert identity[key] != value
        file.attrs["identity"] = json.dumps({**identity, key: value}, sort_keys=True)
    checksummed_hdf5.write_checksum(path)


@pytest.mark.parametrize("key", OTHERS)
def test_store_of_something_else__is_rejected_even_if_pool_and_target_agree(copy, key):
    """In the process of the test, as it would be in the job."""
    gradients = copy.path / GRADIENTS
    for name in ("pool.h5", "validation/logic.h5"):
        relabelled(gradients / name, key, OTHERS[key])
    [checkpoint] = files.read_json(copy.results / "warmup/tiny-llama/reasoning/checkpoints.json")["checkpoints"]
    made_with = {"projection": {"kind": "sjlt", "dimension": 256, "seed": 0}, "precision": "fp32"}
    made_with |= {"template": "smollm_eot", "cutoff_len": 128}
    with rejected("store-outdated", path="pool.h5", key=key):
        job.select(
            job.Job(
                method="less",
                implementation="less",
                ratio=0.25,
                seed=0,
                params={},
                pool=str(copy.results / "pools/reasoning/pool.jsonl"),
                validation=[str(copy.results / "targets/logic/validation.jsonl")],
                checkpoints=[
                    job.CheckpointFiles(
                        {
                            "pool_gradients": [str(gradients / "pool.h5")],
                            "validation_gradients": [str(gradients / "validation/logic.h5")],
                        },
                        checkpoint,
                    )
                ],
                made_with=made_with,
            )
        )


def test_job__checks_what_its_stores_are_of(copy):
    chosen = copy.path / LESS / "selected.jsonl"
    chosen.unlink()
    validation = f"{GRADIENTS}/validation/logic.h5"
    times = (copy.path / validation).stat()
    for name in (f"{GRADIENTS}/pool.h5", validation):
        relabelled(copy.path / name, "adapter", "0" * 64)
        os.utime(copy.path / name, ns=(times.st_atime_ns, times.st_mtime_ns))
    sentence(copy.snakemake("--", f"{LESS}/selected.jsonl"), "pool.h5: adapter: made with")
    assert not chosen.exists()


@pytest.fixture
def small_disk(copy):
    """The folder of the shards on a file system of its own, with room for one of two; a function makes it larger."""
    folder = copy.path / GRADIENTS / "shards"
    shard = folder / "0.h5"
    content, times = shard.read_bytes(), shard.stat()
    room = len(content) + 16 * 1024
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("a file system cannot be mounted here, which root can: " + mounted.stderr.decode())
    try:
        shard.write_bytes(content)
        os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))
        yield lambda: subprocess.run(["mount", "-o", f"remount,size={64 * room}", folder], check=True)
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.root
def test_full_disk__is_reported_and_the_next_run_resumes(copy: Run, undisturbed, small_disk):
    shard = f"{GRADIENTS}/shards/1.h5"
    sentence(copy.snakemake("--", shard), "The disk is full (")
    assert not (copy.path / shard).exists()
    small_disk()
    assert jobs_of(copy.finish("--", shard)) == ["pool_gradients"]
    assert digest(copy.path / shard) == digest(undisturbed.path / shard)
    # As it is the same, bit by bit, nothing that depends on it is done again.
    assert copy.planned() == {}
