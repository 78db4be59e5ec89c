"""Losses with and without the instruction, against the model's own loss of one example at a time."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from instruction_selection.core import files
from instruction_selection.features import checksummed_hdf5, losses
from instruction_selection.models import tokens
from instruction_selection.models.tokenized_example import IGNORE_INDEX

TEMPLATE = "smollm_eot"


def expected(model, rows, cutoff_len: int) -> np.ndarray:
    """By transformers' own loss, over the response tokens that both forms of an example have."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    given = tokens.encode(rows, tokenizer, TEMPLATE, cutoff_len)
    alone = tokens.encode([{**row, "instruction": ""} for row in rows], tokenizer, TEMPLATE, cutoff_len)
    found = []
    for pair in zip(given, alone, strict=True):
        count = min(each.response_tokens for each in pair)
        values = []
        for each in pair:
            labels, kept = [], 0
            for label in each.labels:
                kept += label != IGNORE_INDEX
                labels.append(label if kept <= count else IGNORE_INDEX)
            with torch.no_grad():
                values.append(network(input_ids=torch.tensor([each.input_ids]), labels=torch.tensor([labels])).loss)
        found.append(values)
    return np.array(found, np.float32)


@pytest.mark.parametrize("batch_tokens", [1, 10**6])
@pytest.mark.parametrize("cutoff_len", [40, 512])
def test_compute__is_the_loss_of_training_over_the_same_response_tokens(
    tiny_model, some_rows, cutoff_len, batch_tokens
):
    found = losses.compute(tiny_model, some_rows, TEMPLATE, cutoff_len, batch_tokens)
    assert found.shape == (len(some_rows), 2)
    assert found == pytest.approx(expected(tiny_model, some_rows, cutoff_len), rel=1e-4)


def test_compute__the_instruction_changes_one_column_only(tiny_model, some_rows):
    other = [{**row, "instruction": "Something else."} for row in some_rows]
    one, two = (losses.compute(tiny_model, rows, TEMPLATE, 512, 512) for rows in (some_rows, other))
    assert one[:, 1] == pytest.approx(two[:, 1], rel=1e-5)
    assert (np.abs(one[:, 0] - two[:, 0]) > 1e-4).all()


def test_compute__a_row_without_room_for_a_response_token_has_no_loss(tiny_model, some_rows):
    assert np.isnan(losses.compute(tiny_model, some_rows[:2], TEMPLATE, 1, 512)).all()


def test_write__rows_and_what_they_were_made_with(tiny_model, some_rows, tmp_path):
    files.write_jsonl(tmp_path / "rows.jsonl", some_rows)
    losses.write(tmp_path / "rows.h5", tmp_path / "rows.jsonl", tiny_model, TEMPLATE, 128, 512)
    with checksummed_hdf5.open_verified(tmp_path / "rows.h5") as store:
        assert [name.decode() for name in store["id"]] == [row["id"] for row in some_rows]
        assert store["losses"].shape == (len(some_rows), 2)
        identity = checksummed_hdf5.read_identity(store)
        assert identity["rows"] == files.sha256(tmp_path / "rows.jsonl")
        assert (identity["template"], identity["cutoff_len"]) == (TEMPLATE, 128)
