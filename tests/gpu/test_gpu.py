"""What can only be checked on a GPU: `make gpu`. Prints what it measures; skipped on machines without one."""

from collections.abc import Iterator

import pytest
import torch
from peft import LoraConfig
from support.gpu_timing import seconds_of
from transformers import AutoTokenizer, LlamaConfig

from instruction_selection.core import files
from instruction_selection.cost import gpu
from instruction_selection.features.gradients import memory, moments, parameters, per_sample, projection
from instruction_selection.features.gradients.sketches import Sketches
from instruction_selection.models import skeleton, tokens
from instruction_selection.training import checkpoints, llamafactory

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]

CPU, GPU = torch.device("cpu"), torch.device("cuda")
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
#: 1.1 billion parameters: large enough to be limited by arithmetic, small enough for every card.
LLAMA_1B = LlamaConfig(
    vocab_size=32000,
    hidden_size=2048,
    intermediate_size=5632,
    num_hidden_layers=22,
    num_attention_heads=32,
    num_key_value_heads=4,
)
LORA = LoraConfig(r=128, target_modules=ATTENTION)
DIMENSION = 8192
#: Relative error of a batch's rows on a GPU against those in float32 on the CPU.
TOLERANCE = {"fp32": 1e-3, "bf16": 0.1}


def gradient_job(network, precision: str, device: torch.device, kinds=("sgd",)) -> tuple[per_sample.Batched, Sketches]:
    """What computes the rows of a batch, with moments of one."""
    sizes = [weight.numel() for weight in parameters.trainable(network).values()]
    sketch = projection.make({"kind": "sjlt", "dimension": DIMENSION, "seed": 0}, sizes, device)
    ones = [(torch.ones(size, device=device), torch.ones(size, device=device)) for size in sizes]
    sketches = Sketches(kinds, sketch, ones if "adam" in kinds else [])
    return per_sample.Batched(network, precision, sketches.add), sketches


def rows_of(network, examples, precision: str, device: torch.device) -> torch.Tensor:
    """Projected plain gradients, float32 (examples, D), on the CPU."""
    batched, sketches = gradient_job(network, precision, device)
    sketches.start(len(examples))
    batched.run(examples)
    return torch.from_numpy(sketches.finish()["sgd"])


@pytest.mark.parametrize("precision", TOLERANCE)
def test_rows__on_a_gpu_are_those_on_the_cpu(tiny_model, tiny_adapter, some_rows, precision, show):
    examples = tokens.encode(some_rows, AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 512)
    expected = rows_of(parameters.load(tiny_model, tiny_adapter, CPU, "fp32"), examples, "fp32", CPU)
    found = rows_of(parameters.load(tiny_model, tiny_adapter, GPU, precision), examples, precision, GPU)
    errors = (found - expected).norm(dim=1) / expected.norm(dim=1)
    show(f"rows against the CPU's in fp32, {precision}: largest relative error", f"{float(errors.max()):.1e}")
    assert float(errors.max()) < TOLERANCE[precision]


@pytest.fixture
def large() -> Iterator[torch.nn.Module]:
    with GPU:
        network = skeleton.untrained(LLAMA_1B, LORA, torch.bfloat16)
    yield network
    torch.cuda.empty_cache()


@pytest.mark.parametrize("rows", [1, 4])
def test_of_gradients__within_a_fifth_of_the_peak_on_a_gpu(large, rows, measured):
    """A fifth, because attention has other kernels than on the CPU, on which the prediction is exact to a tenth."""
    batch = [(1024, 1023)] * rows
    predicted = memory.of_gradients(LLAMA_1B, LORA, batch, ["adam"], "bf16", DIMENSION).peak
    batched, sketches = gradient_job(large, "bf16", GPU, ["adam"])
    torch.cuda.reset_peak_memory_stats()
    sketches.start(rows)
    batched.run(memory.examples(batch))
    real = torch.cuda.max_memory_allocated()
    measured(f"peak memory of gradients, {rows} x 1024 tokens, predicted", predicted / 2**30, "GiB")
    measured(f"peak memory of gradients, {rows} x 1024 tokens, real", real / 2**30, "GiB")
    assert predicted == pytest.approx(real, rel=0.2)


def test_bandwidth__of_the_cards_memory(measured):
    """Of what is read and written while a gigabyte is copied."""
    numbers = torch.ones(2**28, device=GPU)
    copy = torch.empty_like(numbers)
    seconds = seconds_of(lambda: copy.copy_(numbers), 20)
    measured("bandwidth", 2 * numbers.nbytes / seconds, "bytes per second")


def products_per_second() -> float:
    """Operations per second of a product of matrices in bfloat16, the most that a model could reach."""
    matrix = torch.ones(8192, 8192, dtype=torch.bfloat16, device=GPU)
    return 2 * 8192**3 / seconds_of(lambda: matrix @ matrix, 20)


def test_gradients__tokens_per_second_and_share_of_what_a_product_of_matrices_reaches(large, measured):
    batched, sketches = gradient_job(large, "bf16", GPU, ["adam"])
    batch, weights = memory.examples([(1024, 1023)] * 4), sum(weight.numel() for weight in large.parameters())

    def run():
        sketches.start(len(batch))
        batched.run(batch)
        sketches.finish()

    tokens_per_second, operations = 4096 / seconds_of(run, 5), products_per_second()
    measured("gradients, tokens of a model of 1.1 billion parameters in bf16", tokens_per_second, "tokens per second")
    measured("gradients", weights * tokens_per_second, gpu.rate_unit("gradients"))
    measured("product of matrices in bf16", operations, "operations per second")
    # Forward, and backward through frozen weights: four operations per weight and token.
    share = 4 * weights * tokens_per_second / operations
    measured("gradients, share of a product of matrices", share, "of its operations per second")
    assert 0 < share < 1


def test_training__tokens_per_second_with_recomputed_activations(large, measured):
    """The passes of a training by one process, as LLaMA-Factory runs them."""
    large.train()
    large.get_base_model().gradient_checkpointing_enable({"use_reentrant": True})
    large.get_base_model().enable_input_require_grads()
    ids, weights = torch.zeros(4, 1024, dtype=torch.long, device=GPU), sum(each.numel() for each in large.parameters())

    def run():
        with torch.autocast(GPU.type, torch.bfloat16):
            loss = large(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        large.zero_grad()

    tokens_per_second = 4096 / seconds_of(run, 5)
    measured("training, tokens of a model of 1.1 billion parameters in bf16", tokens_per_second, "tokens per second")
    measured("training", weights * tokens_per_second, gpu.rate_unit("training"))
    assert all(bool(weight.isfinite().all()) for weight in large.parameters())


def test_train__on_all_gpus_with_moments_by_name(tiny_model, some_rows, repository, tmp_path, show):
    gpus = torch.cuda.device_count()
    files.write_jsonl(tmp_path / "rows.jsonl", some_rows)
    arguments = {
        **{"stage": "sft", "finetuning_type": "lora", "lora_rank": 4, "lora_target": ",".join(ATTENTION)},
        **{"learning_rate": 1e-3, "num_train_epochs": 1, "bf16": True, "logging_steps": 1},
        **{"effective_batch": gpus, "per_device_train_batch_size": 1},
        "deepspeed": str(repository / "config/training/zero2.json"),
    }
    output = llamafactory.train(
        tmp_path / "rows.jsonl", tiny_model, "smollm_eot", 512, arguments, 0, tmp_path / "training", processes=gpus
    )
    named_shapes = parameters.shapes(tiny_model, output)
    states = moments.from_checkpoint(checkpoints.find(output)[-1], named_shapes)
    assert states.keys() == {f"{name}.{kind}" for name in named_shapes for kind in moments.STATES}
    assert all(bool(state.isfinite().all()) for state in states.values())
    assert any(bool(state.any()) for state in states.values())
    show("training with moments by name", f"{gpus} GPUs")
