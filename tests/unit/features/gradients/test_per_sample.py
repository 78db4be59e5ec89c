"""Batched per-sample gradients are those of a plain loop."""

import contextlib

import pytest
import torch
from transformers import AutoTokenizer

from instruction_selection.features.gradients import parameters, per_sample
from instruction_selection.models import batching, tokens
from instruction_selection.models.tokenized_example import IGNORE_INDEX, TokenizedExample

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def examples(tiny_model, some_rows):
    return tokens.encode(some_rows, AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 512)


@pytest.fixture(scope="module", params=["lora", "full"])
def warmup(request, tiny_model, tiny_adapter):
    """What was trained in the warm-up: an adapter, or the whole model (with tied embeddings)."""
    return {"lora": tiny_adapter, "full": tiny_model}[request.param]


@pytest.fixture(scope="module")
def expected(tiny_model, warmup, examples):
    network = parameters.load(tiny_model, warmup, CPU, "fp32")
    return [torch.cat(per_sample.reference(network, example)) for example in examples]


def batched(tiny_model, warmup, examples, groups, precision="fp32"):
    """Gradient rows, in the order of `examples`, from batches of the given row numbers."""
    network = parameters.load(tiny_model, warmup, CPU, precision)
    count = len(parameters.trainable(network))
    parts = {}
    runner = per_sample.Batched(network, precision, lambda number, gradients: parts.update({number: gradients}))
    rows = {}
    for group in groups:
        runner.run([examples[number] for number in group])
        together = torch.cat([parts[number] for number in range(count)], 1)
        rows.update(zip(group, together, strict=True))
    return [rows[number] for number in range(len(examples))]


def relative_error(one, other):
    return float((one - other).norm() / other.norm())


# For two or three response tokens of a single row, torch's product with the head is itself off by up to 2e-5.
@pytest.mark.parametrize(("token_budget", "error"), [(1, 3e-5), (300, 1e-5), (1000, 1e-5), (100_000, 1e-5)])
def test_batches__give_the_gradients_of_the_loop(tiny_model, warmup, examples, expected, token_budget, error):
    groups = batching.by_length(examples, batching.with_response(examples), token_budget)
    for gradient, wanted in zip(batched(tiny_model, warmup, examples, groups), expected, strict=True):
        assert relative_error(gradient, wanted) < error


def test_neighbours__in_a_batch_do_not_matter(tiny_model, warmup, examples, expected):
    """The longest and the shortest row together: most of the batch is padding."""
    order = sorted(range(len(examples)), key=lambda number: len(examples[number].input_ids))
    pair = [order[0], order[-1]]
    for gradient, number in zip(batched(tiny_model, warmup, [examples[n] for n in pair], [[0, 1]]), pair, strict=True):
        assert relative_error(gradient, expected[number]) < 1e-5


def test_bf16__within_a_tenth_of_fp32_and_not_the_same(tiny_model, warmup, examples, expected):
    groups = batching.by_length(examples, batching.with_response(examples), 1000)
    rows = batched(tiny_model, warmup, examples, groups, "bf16")
    errors = [relative_error(row, wanted) for row, wanted in zip(rows, expected, strict=True)]
    assert 1e-4 < max(errors) < 0.1


def test_bf16__has_the_bits_of_a_pass_in_which_peft_copies_its_inputs(tiny_model, tiny_adapter, examples, monkeypatch):
    groups = batching.by_length(examples[:4], batching.with_response(examples[:4]), 1000)
    without = batched(tiny_model, tiny_adapter, examples[:4], groups, "bf16")
    monkeypatch.setattr(per_sample, "disable_input_dtype_casting", contextlib.nullcontext)
    copied = batched(tiny_model, tiny_adapter, examples[:4], groups, "bf16")
    assert torch.equal(torch.stack(without), torch.stack(copied))


def test_loss__is_the_mean_over_the_response(tiny_model, warmup, examples):
    network = parameters.load(tiny_model, warmup, CPU, "fp32")
    runner = per_sample.Batched(network, "fp32", lambda number, gradients: None)
    losses = runner.run(examples[:3])
    network = parameters.load(tiny_model, warmup, CPU, "fp32")
    for example, loss in zip(examples[:3], losses, strict=True):
        ids = torch.tensor([example.input_ids])
        with torch.no_grad():
            wanted = network(input_ids=ids, labels=torch.tensor([example.labels])).loss
        assert float(loss) == pytest.approx(float(wanted), rel=1e-5)


def test_batches__hold_every_row_with_a_response_once_within_the_budget(examples):
    nothing = TokenizedExample([1, 2, 3], [IGNORE_INDEX] * 3)
    groups = batching.by_length([nothing, *examples], batching.with_response([nothing, *examples]), 400)
    assert sorted(number for group in groups for number in group) == list(range(1, len(examples) + 1))
    for group in groups:
        longest = max(len(examples[number - 1].input_ids) for number in group)
        assert len(group) == 1 or longest * len(group) <= 400


def test_trainable_parameter__is_consumed_once(tiny_model, warmup, examples):
    network = parameters.load(tiny_model, warmup, CPU, "fp32")
    sizes = [weight.numel() for weight in parameters.trainable(network).values()]
    found = {}

    def consume(number, gradients):
        assert number not in found
        found[number] = gradients.shape

    per_sample.Batched(network, "fp32", consume).run(examples[:2])
    assert found == {number: (2, size) for number, size in enumerate(sizes)}


def test_dropout__is_off(tiny_model, warmup, examples):
    network = parameters.load(tiny_model, warmup, CPU, "fp32")
    first, second = (torch.cat(per_sample.reference(network, examples[0])) for _ in range(2))
    assert torch.equal(first, second)


def test_products__of_bfloat16_factors_lose_nothing_and_leave_torchs_precision():
    generator = torch.Generator().manual_seed(0)
    inputs, gradient = (torch.randn(3, 50, size, generator=generator).bfloat16() for size in (64, 32))
    before = torch.get_float32_matmul_precision()
    found = per_sample._linear(["weight"], inputs, gradient)["weight"]
    assert torch.get_float32_matmul_precision() == before
    assert found.dtype == torch.float32
    exact = torch.einsum("bto,bti->boi", gradient.double(), inputs.double())
    assert relative_error(found, exact) < 1e-6


def test_attention__of_short_examples_has_the_rows_of_torchs_own(tiny_model, warmup, examples, monkeypatch):
    groups = batching.by_length(examples, batching.with_response(examples), 1000)
    assert max(len(example.input_ids) for example in examples) < per_sample.UNFUSED_TOKENS
    unfused = batched(tiny_model, warmup, examples, groups)
    monkeypatch.setattr(per_sample, "UNFUSED_TOKENS", 0)
    for row, wanted in zip(unfused, batched(tiny_model, warmup, examples, groups), strict=True):
        assert 0 < relative_error(row, wanted) < 1e-5
