"""From rows of text to a store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support.rejections import rejected
from transformers import AutoTokenizer

from instruction_selection.core import files
from instruction_selection.data import sampling
from instruction_selection.features.gradients import adam, compute, moments, parameters, per_sample, projection, store
from instruction_selection.models import tokens

REPOSITORY = Path(__file__).resolve().parents[4]
SETTINGS = {
    "projection": {"kind": "sjlt", "dimension": 64, "seed": 0},
    "batch_tokens": 400,
    "precision": "fp32",
}


@pytest.fixture(scope="module")
def rows_path(some_rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    files.write_jsonl(path, some_rows)
    return path


@pytest.fixture(scope="module")
def moments_path(tiny_model, tiny_adapter, tmp_path_factory):
    generator = torch.Generator().manual_seed(0)
    made = {}
    for name, shape in parameters.shapes(tiny_model, tiny_adapter).items():
        made[f"{name}.exp_avg"] = 1e-3 * torch.randn(shape, generator=generator)
        made[f"{name}.exp_avg_sq"] = 1e-6 * torch.rand(shape, generator=generator)
    path = tmp_path_factory.mktemp("moments") / "moments.safetensors"
    moments.write(made, path)
    return path


@pytest.fixture
def fill(tiny_model, tiny_adapter, rows_path, moments_path):
    def run(path, part=(0, 1), kinds=("adam",), cutoff_len=512, **changed):
        compute.fill(
            *(path, rows_path, part, tiny_model, tiny_adapter),
            *(list(kinds), moments_path if "adam" in kinds else None),
            *("smollm_eot", cutoff_len, {**SETTINGS, **changed}),
        )
        return path

    return run


@pytest.mark.parametrize("kinds", [["adam"], ["sgd"], ["adam", "sgd"]])
def test_rows__are_those_of_the_plain_recipe(fill, tmp_path, some_rows, tiny_model, tiny_adapter, moments_path, kinds):
    reader = store.Reader(fill(tmp_path / "0.h5", kinds=kinds))
    assert reader.ids == [row["id"] for row in some_rows]
    cpu = torch.device("cpu")
    network = parameters.load(tiny_model, tiny_adapter, cpu, "fp32")
    names = list(parameters.trainable(network))
    states = moments.read(moments_path, names, cpu)
    sizes = [weight.numel() for weight in parameters.trainable(network).values()]
    sketch = projection.make(SETTINGS["projection"], sizes, cpu)
    examples = tokens.encode(some_rows, AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 512)
    for kind in kinds:
        for example, unit, norm in zip(examples, reader.unit(kind), reader.norms(kind), strict=True):
            sums = sketch.accumulator(1)
            for number, gradient in enumerate(per_sample.reference(network, example)):
                feature = adam.precondition(gradient, *states[number]) if kind == "adam" else gradient
                sketch.add(number, feature[None], sums)
            wanted = sketch.finish(sums)
            assert norm == pytest.approx(float(wanted.norm()), rel=1e-4)
            np.testing.assert_allclose(unit, wanted[0] / wanted.norm(), atol=1e-3)


def test_kind__that_was_not_kept_is_named(fill, tmp_path):
    with rejected("kind-not-stored", path="0.h5", key="sgd"):
        store.Reader(fill(tmp_path / "0.h5")).unit("sgd")


def test_shards__and_batches_do_not_change_a_row(fill, tmp_path):
    whole = store.Reader(fill(tmp_path / "whole.h5"))
    shards = [fill(tmp_path / f"{number}.h5", (number, 3), batch_tokens=150) for number in range(3)]
    store.gather(shards, tmp_path / "pool.h5", 11)
    gathered = store.Reader(tmp_path / "pool.h5")
    assert gathered.ids == whole.ids
    np.testing.assert_allclose(gathered.unit("adam"), whole.unit("adam"), atol=1e-3)
    np.testing.assert_allclose(gathered.norms("adam"), whole.norms("adam"), rtol=1e-4)


def test_fill__another_number_of_shards_gives_the_same_bits(fill, tmp_path):
    """Of examples one by one: the others in a batch change the rounding of a row."""
    whole = store.Reader(fill(tmp_path / "whole.h5", batch_tokens=1))
    for count in (2, 3):
        folder = tmp_path / str(count)
        shards = [fill(folder / f"{number}.h5", (number, count), batch_tokens=1) for number in range(count)]
        store.gather(shards, folder / "pool.h5", 11)
        gathered = store.Reader(folder / "pool.h5")
        assert gathered.identity == whole.identity
        assert gathered.ids == whole.ids
        for name in ("adam", "adam_norm", "loss", "finite", "response_tokens"):
            assert np.array_equal(gathered.dataset(name)[:], whole.dataset(name)[:]), name


def test_killed_job__ends_with_the_same_bits(fill, tmp_path, monkeypatch):
    whole = store.Reader(fill(tmp_path / "whole.h5"))
    write, calls = store.Writer.write, []

    def dies_at_the_third_batch(self, *arguments, **keywords):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        write(self, *arguments, **keywords)

    monkeypatch.setattr(store.Writer, "write", dies_at_the_third_batch)
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "0.h5")
    assert not (tmp_path / "0.h5").exists()
    monkeypatch.setattr(store.Writer, "write", write)
    resumed = store.Reader(fill(tmp_path / "0.h5"))
    assert np.array_equal(resumed.unit("adam"), whole.unit("adam"))
    assert np.array_equal(resumed.norms("adam"), whole.norms("adam"))


def test_rows__whose_response_is_cut_away_are_marked(fill, tmp_path, some_rows, tiny_model):
    """LLaMA-Factory shares a short cutoff between prompt and response, so the cut must be very short."""
    reader = store.Reader(fill(tmp_path / "0.h5", cutoff_len=8))
    examples = tokens.encode(some_rows, AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 8)
    assert reader.usable.tolist() == [example.response_tokens > 0 for example in examples]


def test_shards__are_rejected_if_they_are_more_than_rows(fill, tmp_path):
    with rejected("too-many-shards"):
        fill(tmp_path / "0.h5", (0, 12))


PROCESS = """
import json, sys
from instruction_selection.features.gradients import compute
compute.fill(*json.loads(sys.argv[1]))
"""


def in_another_process(*arguments) -> int:
    """Run `compute.fill`; returns the peak memory of its process, in bytes."""
    code = PROCESS + "import resource; print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow")}
    result = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments, default=str)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(result.stdout.split()[-1])


def test_two_processes__write_the_same_bits(fill, tmp_path, rows_path, tiny_model, tiny_adapter, moments_path):
    ours = store.Reader(fill(tmp_path / "ours.h5"))
    path = tmp_path / "theirs.h5"
    in_another_process(
        *(path, rows_path, (0, 1), tiny_model, tiny_adapter, ["adam"], moments_path, "smollm_eot", 512, SETTINGS)
    )
    theirs = store.Reader(path)
    assert np.array_equal(ours.unit("adam"), theirs.unit("adam"))
    assert np.array_equal(ours.norms("adam"), theirs.norms("adam"))
    assert ours.identity == theirs.identity


def test_memory__does_not_grow_with_the_rows(tmp_path, tiny_model):
    """Of the whole tiny model, whose gradient has 6.4 MB a row: 50 more rows would have 320."""
    peaks = []
    for count in (10, 60):
        rows_path = tmp_path / f"{count}.jsonl"
        files.write_jsonl(rows_path, sampling.sample("reasoning-gym", ["chain_sum"], "pool", count, seed=0))
        arguments = (tmp_path / f"{count}.h5", rows_path, (0, 1), tiny_model, tiny_model, ["sgd"], None)
        peaks.append(in_another_process(*arguments, "smollm_eot", 512, SETTINGS))
    assert peaks[1] - peaks[0] < 80e6
