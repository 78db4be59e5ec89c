"""Position-weighted means of hidden states."""

import h5py
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from instruction_selection.core import files
from instruction_selection.features import hidden_states
from instruction_selection.models import tokens


def test_hidden_state__weighs_later_tokens_more_and_ignores_padding():
    states = torch.tensor([[[1.0], [2.0], [3.0]], [[1.0], [4.0], [99.0]]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    means = hidden_states.position_weighted_means(states, mask)
    assert means[:, 0].tolist() == pytest.approx([(1 + 4 + 9) / 6, (1 + 8) / 3])


@pytest.mark.parametrize("batch_tokens", [1, 300, 10**6])
def test_row__has_the_same_states_in_any_batch_as_alone(tiny_model, some_rows, batch_tokens):
    found = hidden_states.embed(tiny_model, some_rows, "smollm_eot", 128, batch_tokens)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    network = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    for row, example in zip(found, tokens.encode(some_rows, tokenizer, "smollm_eot", 128), strict=True):
        with torch.no_grad():
            [*_, last] = network(input_ids=torch.tensor([example.input_ids]), output_hidden_states=True).hidden_states
        weights = np.arange(1, len(example.input_ids) + 1)
        expected = weights @ last[0].numpy()
        assert row == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)


def test_store__has_the_rows_in_their_order(tiny_model, some_rows, tmp_path):
    files.write_jsonl(tmp_path / "rows.jsonl", some_rows)
    hidden_states.write(tmp_path / "rows.h5", tmp_path / "rows.jsonl", tiny_model, "smollm_eot", 128, 512)
    with h5py.File(tmp_path / "rows.h5") as store:
        assert [name.decode() for name in store["id"]] == [row["id"] for row in some_rows]
        assert np.linalg.norm(store["embedding"][:], axis=1) == pytest.approx(1)
        assert store.attrs["version_transformers"]
