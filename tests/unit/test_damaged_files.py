"""Every kind of file that a job leaves for another one: damaged, its reader names it and says what to delete."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.data import hub
from instruction_selection.evaluation import harness
from instruction_selection.experiment.benchmark import Metric
from instruction_selection.experiment.chain import Made
from instruction_selection.features import checksummed_hdf5, row_values
from instruction_selection.features.gradients import moments, store
from instruction_selection.models import checksummed_folder, summary
from instruction_selection.selection import job
from instruction_selection.tables import lineage, samples

METRIC = Metric(name="acc", task="one", label="Accuracy")
SETTINGS = {"backend": "hf", "batch_size": 1, "dtype": "float32", "chat_template": True}


@dataclass
class Artefact:
    """A file, and a function that reads it as the jobs do."""

    path: Path
    read: Callable[[], object]


def in_model(name: str) -> Callable[[Path], Artefact]:
    """A file of a prepared model, which is read before an evaluation."""

    def make(folder: Path) -> Artefact:
        with checksummed_folder.create(folder / "model") as partial:
            files.write_json(partial / summary.NAME, {"row_form": {"bos": False, "end_of_turn": [2]}})
            for other in ("model.safetensors", "tokenizer.json"):
                files.write_text(partial / other, f"the content of {other}")
        return Artefact(
            folder / "model" / name, lambda: harness.evaluate("b", {}, "tasks", folder / "model", None, SETTINGS)
        )

    return make


def in_adapter(name: str) -> Callable[[Path], Artefact]:
    def make(folder: Path) -> Artefact:
        in_model(summary.NAME)(folder)
        with checksummed_folder.create(folder / "adapter") as partial:
            files.write_text(partial / "adapter_config.json", '{"r": 8}')
            files.write_text(partial / "adapter_model.safetensors", "weights")
        paths = folder / "model", folder / "adapter"
        return Artefact(folder / "adapter" / name, lambda: harness.evaluate("b", {}, "tasks", *paths, SETTINGS))

    return make


def model_summary(folder: Path) -> Artefact:
    return Artefact(in_model(summary.NAME)(folder).path, lambda: summary.row_form(folder / "model"))


def moments_file(folder: Path) -> Artefact:
    path = folder / "moments.safetensors"
    moments.write({f"w.{kind}": torch.arange(40.0) for kind in moments.STATES}, path)
    return Artefact(path, lambda: moments.read(path, ["w"], torch.device("cpu")))


def warmup_checkpoints(folder: Path) -> Artefact:
    path = folder / "checkpoints.json"
    files.write_json(path, {"checkpoints": [{"step": 3, "mean_learning_rate": 0.1}]})
    return Artefact(path, lambda: job.checkpoint_files([{}], path))


def gradient_store(folder: Path) -> Artefact:
    path = folder / "0.h5"
    checksummed_hdf5.create(path).close()
    checksummed_hdf5.write_checksum(path)
    return Artefact(path, lambda: store.gather([path], folder / "pool.h5", 2))


def embedding_store(folder: Path) -> Artefact:
    path, rows = folder / "pool.h5", folder / "pool.jsonl"
    files.write_jsonl(rows, [{"id": "a"}, {"id": "b"}])
    row_values.write(path, rows, files.read_jsonl(rows), "embedding", np.eye(2), {})
    return Artefact(path, lambda: checksummed_hdf5.open_verified(path))


def manifest(folder: Path) -> Artefact:
    path = folder / "cache/manifests/pool/x.json"
    files.write_json(path, {"source": {"source": {}, "files": {"a.txt": "0" * 64}}})
    return Artefact(path, lambda: hub.paths({"kind": "hub"}, path, "source"))


def fetched_file(folder: Path) -> Artefact:
    path, about = folder / "cache/a.txt", folder / "cache/manifests/pool/x.json"
    files.write_text(path, "content")
    files.write_json(about, {"source": {"source": {}, "files": {"a.txt": files.sha256(path)}}})
    return Artefact(path, lambda: hub.paths({"kind": "hub"}, about, "source"))


def cell(name: str) -> Callable[[Path], Artefact]:
    """One of the summaries that a table compares."""

    def make(folder: Path) -> Artefact:
        path = folder / f"{name}.json"
        files.write_json(path, {"provenance": {"parameters": {}, "code": "0", "git_commit": "0"}, "sha256": "0" * 64})
        return Artefact(path, lambda: lineage.check([Made(str(path), name, {})]))

    return make


def evaluation_samples(folder: Path) -> Artefact:
    path = folder / "logic.samples.jsonl"
    files.write_jsonl(path, [{"id": str(n), "task": "one", "filter": "none", "acc": 1.0} for n in range(4)])
    digest = files.sha256(path)
    return Artefact(path, lambda: samples.read(path, [METRIC], digest))


def benchmark(folder: Path) -> Artefact:
    path = folder / "0.tsv"
    files.write_text(path, "s\th:m:s\tmax_rss\n1.5\t0:00:01\t-\n")
    return Artefact(path, lambda: files.read_benchmark(path))


KINDS = {
    "model's summary": model_summary,
    **{f"model's {name}": in_model(name) for name in (checksummed_folder.NAME, "model.safetensors", "tokenizer.json")},
    **{f"adapter's {name}": in_adapter(name) for name in ("adapter_config.json", "adapter_model.safetensors")},
    "adapter's list": in_adapter(checksummed_folder.NAME),
    "moments": moments_file,
    "checkpoints": warmup_checkpoints,
    "shard": gradient_store,
    "embeddings": embedding_store,
    "manifest": manifest,
    "fetched file": fetched_file,
    **{name: cell(name) for name in ("evaluation", "training", "selection")},
    "samples": evaluation_samples,
    "benchmark": benchmark,
}


def flipped(content: bytes) -> bytes:
    """Three quarters of the way through, where each kind has data."""
    changed = bytearray(content)
    changed[3 * len(content) // 4] ^= 1
    return bytes(changed)


DAMAGES = {"empty": lambda _: b"", "half": lambda content: content[: len(content) // 2], "one bit": flipped}


#: Snakemake writes its benchmark files without a checksum; only the report's times come from them.
CASES = [(kind, damage) for kind in KINDS for damage in DAMAGES if (kind, damage) != ("benchmark", "one bit")]


@pytest.mark.parametrize(("kind", "damage"), CASES)
def test_damaged__is_named_with_what_to_delete(tmp_path, kind, damage):
    artefact = KINDS[kind](tmp_path)
    artefact.path.write_bytes(DAMAGES[damage](artefact.path.read_bytes()))
    with pytest.raises(InputError) as caught:
        artefact.read()
    assert caught.value.path == str(artefact.path)
    assert "delete " in str(caught.value)


@pytest.mark.parametrize("kind", ["model's summary", "moments", "checkpoints", "embeddings", "training", "samples"])
def test_whole__is_read(tmp_path, kind):
    """Or the test above could not fail."""
    KINDS[kind](tmp_path).read()


@pytest.mark.parametrize("kind", ["model's tokenizer.json", "adapter's list"])
def test_whole__is_evaluated(tmp_path, kind):
    with pytest.raises(KeyError, match="harness"):  # of the benchmark, which is empty
        KINDS[kind](tmp_path).read()
