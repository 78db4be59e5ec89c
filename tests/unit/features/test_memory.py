"""Memory of losses is what torch allocates, and batches are as large as fits."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.allocation import peak_while
from transformers import AutoConfig, AutoModelForCausalLM

from instruction_selection.features import memory
from instruction_selection.features.gradients.memory import examples
from instruction_selection.models.response_loss import response_losses


@pytest.mark.parametrize("rows", [1, 4])
def test_of_losses__within_a_tenth_of_what_torch_allocates(tiny_model, rows):
    network = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).eval()
    weights = sum(weight.nbytes for weight in network.parameters())
    batch = examples([(100, 99)] * rows)
    with torch.inference_mode():
        real = weights + peak_while(lambda: response_losses(network, batch, torch.device("cpu")))
    predicted = memory.of_losses(AutoConfig.from_pretrained(tiny_model), rows * 100 + 99, 100)
    assert predicted == pytest.approx(real, rel=0.1)


@given(st.integers(1, 5000), st.integers(0, 10**6), st.integers(0, 100), st.integers(0, 2 * 10**6))
def test_most_tokens__fit_and_one_example_more_does_not(cutoff_len, fixed, per_token, room):
    def peak(tokens):
        return fixed + per_token * tokens

    found = memory.most_tokens(peak, room, cutoff_len)
    assert found % cutoff_len == 0
    assert cutoff_len <= found <= max(cutoff_len, memory.MOST_TOKENS)
    assert peak(found) <= room or found == cutoff_len
    assert found + cutoff_len > memory.MOST_TOKENS or peak(found + cutoff_len) > room
