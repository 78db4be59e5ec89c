"""Predicted memory is what torch's allocator reports."""

import itertools
import time

import pytest
import torch
from peft import LoraConfig
from support.allocation import peak_while
from transformers import AutoConfig, LlamaConfig

from instruction_selection.features.gradients import memory, parameters, per_sample, projection
from instruction_selection.features.gradients.sketches import Sketches
from instruction_selection.models import skeleton

CPU = torch.device("cpu")
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
SMOLLM2_135M = LlamaConfig(
    vocab_size=49152,
    hidden_size=576,
    intermediate_size=1536,
    num_hidden_layers=30,
    num_attention_heads=9,
    num_key_value_heads=3,
    tie_word_embeddings=True,
)
LLAMA_8B = LlamaConfig(
    vocab_size=128256,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
)


def lora(rank: int) -> LoraConfig:
    return LoraConfig(r=rank, target_modules=ATTENTION)


def allocated(network, batch, kinds, precision, dimension) -> tuple[int, int]:
    """(bytes that stay from batch to batch, peak bytes) of one batch that is really computed.

    What stays is known exactly; the rest is what torch's allocator gives out.
    """
    sizes = [weight.numel() for weight in parameters.trainable(network).values()]
    stays = sum(t.numel() * t.element_size() for t in itertools.chain(network.parameters(), network.buffers()))
    stays += sum(sizes) * (1 + 8 * ("adam" in kinds))
    states = [(torch.zeros(size), torch.ones(size)) for size in sizes] if "adam" in kinds else []
    sketch = projection.make({"kind": "sjlt", "dimension": dimension, "seed": 0}, sizes, CPU)
    sketches = Sketches(kinds, sketch, states)
    batched = per_sample.Batched(network, precision, sketches.add)

    def run():
        sketches.start(len(batch))
        batched.run(memory.examples(batch))

    return stays, stays + peak_while(run)


def check(found: memory.Memory, stays: int, peak: int) -> None:
    assert found.resident == pytest.approx(stays, rel=0.01)
    assert found.peak == pytest.approx(peak, rel=0.1)
    # What a batch adds, too: of a larger model's memory it is a small part.
    assert found.peak - found.resident == pytest.approx(peak - stays, rel=0.1)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("batch", [[(100, 60)], [(90, 20), (90, 89), (40, 10), (12, 3)], [(20, 4)] * 30])
@pytest.mark.parametrize("weights", ["lora", "full"])
def test_of_gradients__within_a_tenth_of_what_torch_allocates(tiny_model, tiny_adapter, weights, batch, precision):
    network = parameters.load(tiny_model, tiny_adapter if weights == "lora" else tiny_model, CPU, precision)
    real = allocated(network, batch, ["adam", "sgd"], precision, 256)
    config, adapter = AutoConfig.from_pretrained(tiny_model), lora(4) if weights == "lora" else None
    check(memory.of_gradients(config, adapter, batch, ["adam", "sgd"], precision, 256), *real)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weights", "batch", "precision"),
    [
        ("lora", [(96, 40), (64, 64)], "fp32"),
        ("lora", [(40, 39)] * 6, "bf16"),
        ("full", [(96, 40), (64, 64)], "bf16"),
        ("full", [(40, 39)] * 3, "fp32"),
    ],
)
def test_of_gradients__within_a_tenth_for_smollm2(weights, batch, precision):
    """Weights are random, because memory does not depend on them."""
    adapter = lora(128) if weights == "lora" else None
    network = skeleton.untrained(SMOLLM2_135M, adapter, parameters.DTYPES[precision])
    real = allocated(network, batch, ["adam"], precision, 8192)
    check(memory.of_gradients(SMOLLM2_135M, adapter, batch, ["adam"], precision, 8192), *real)


def test_of_gradients__eight_billion_parameters_in_seconds():
    start = time.process_time()
    found = memory.of_gradients(LLAMA_8B, lora(128), [(512, 64)] * 8, ["adam"], "bf16", 8192)
    assert time.process_time() - start < 60
    # 8,030,261,248 weights in bfloat16, and 109,051,904 of the adapter in float32 with two moments and a byte of sign.
    assert found.weights == pytest.approx(2 * 8_030_261_248 + 4 * 109_051_904, rel=1e-5)
    assert found.resident == pytest.approx(found.weights + 9 * 109_051_904, rel=1e-3)
    assert found.resident < found.peak < 40 * 2**30


def test_of_gradients__grows_with_examples_tokens_and_responses():
    def peak(batch):
        return memory.of_gradients(SMOLLM2_135M, lora(8), batch, ["sgd"], "bf16", 256).peak

    assert peak([(100, 10)]) < peak([(200, 10)]) < peak([(200, 10)] * 2) < peak([(200, 100)] * 2)


def test_worst_peak__of_whole_examples_one_at_least():
    def peak(batch_tokens):
        return memory.worst_peak(SMOLLM2_135M, lora(8), batch_tokens, 100, ["sgd"], "bf16", 256)

    assert peak(1) == peak(100) == peak(199) < peak(200)


def test_worst_peak__of_a_split_model_is_between_its_share_and_the_whole():
    job = {"batch_tokens": 256, "cutoff_len": 128, "kinds": ["adam"], "precision": "bf16", "dimension": 8192}
    whole, half, third = (memory.worst_peak(LLAMA_8B, lora(8), **job, gpus=gpus) for gpus in (1, 2, 3))
    assert whole > half > whole / 2
    assert half > third > whole / 3
