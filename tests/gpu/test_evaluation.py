"""One evaluation by each backend of lm-eval that is installed, on a GPU: `make gpu`."""

import importlib.util
import time

import pytest
import torch
from support import installed_names

from instruction_selection.evaluation import harness
from instruction_selection.experiment import load, program_names
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.model import Model
from instruction_selection.models.prepare import prepare

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]

WITH_VLLM = pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="needs a GPU and vLLM")
ROWS = 64
#: Of a log-likelihood, in nats per row: both compute in bfloat16, by other kernels.
TOLERANCE = 0.5


@pytest.fixture(scope="module")
def model(repository, tmp_path_factory):
    """SmolLM2-135M, whose answers are better than chance, and whose heads every kernel supports."""
    folder = tmp_path_factory.mktemp("models") / "smollm2-135m"
    prepare(load.read_entry(repository / "config", Model, "smollm2-135m").plain(), folder)
    return folder


@pytest.fixture(scope="module")
def scored(repository, tmp_path_factory, model):
    """A function of a backend: log-likelihoods by row, and the seconds that the whole evaluation took."""
    benchmark = load.read_entry(repository / "config", Benchmark, "logic").plain()
    folder, found = tmp_path_factory.mktemp("tasks"), {}
    rows = [
        {"id": str(number), "task": "sum", "instruction": f"What is {number} plus 3?", "response": str(number + 3)}
        for number in range(ROWS)
    ]
    harness.write_tasks("logic", benchmark, rows, [], folder)

    def evaluate(backend: str) -> tuple[torch.Tensor, float]:
        if backend not in found:
            settings = {"backend": backend, "dtype": "bfloat16", "batch_size": 16, "chat_template": True}
            start = time.perf_counter()
            results, samples = harness.evaluate("logic", benchmark, folder, model, None, settings)
            seconds = time.perf_counter() - start
            harness.summarise("logic", benchmark, results, samples, ROWS)
            # lm-eval's name for it.
            scores = {sample["id"]: sample["perplexity"] for sample in samples if sample["task"] == "answer"}
            found[backend] = torch.tensor([scores[row["id"]] for row in rows]), seconds
        return found[backend]

    return evaluate


@pytest.mark.parametrize("backend", ["hf", pytest.param("vllm", marks=WITH_VLLM)])
def test_evaluation__rows_per_second(scored, backend, show):
    scores, seconds = scored(backend)
    show(f"evaluation with {backend}, its start included", f"{ROWS / seconds:.2f} rows per second")
    assert bool(scores.isfinite().all())


@WITH_VLLM
def test_backends__score_the_same(scored, show):
    difference = (scored("hf")[0] - scored("vllm")[0]).abs()
    show("log-likelihood, hf against vllm: largest difference", f"{float(difference.max()):.3f} nats per row")
    assert float(difference.max()) < TOLERANCE


@WITH_VLLM
def test_names__of_vllm_are_those_of_the_pinned_release():
    assert installed_names.vllm() == program_names.names()["vllm"]
