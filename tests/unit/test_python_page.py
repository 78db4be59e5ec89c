"""The examples of docs/python.md run, with the smoke experiment's model."""

import re
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoModelForCausalLM

from instruction_selection.features.gradients import in_memory, parameters, per_sample

PAGE = Path(__file__).resolve().parents[2] / "docs/python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def run(block: str) -> dict:
    names = {}
    exec(block, names)
    return names


def test_page__from_examples_to_chosen_ones(tiny_model, capsys):
    [code, _] = BLOCKS
    names = run(re.sub(r'model = ".*?".*', f"model = {str(tiny_model)!r}", code))
    assert len(set(names["chosen"].indices)) == 5
    assert names["gradients"].shape == (len(names["pool"]) + 2, 1024)
    assert names["gradients"].usable.all()
    assert capsys.readouterr().out.startswith("['")


def test_page__texts_need_no_model(capsys):
    [_, code] = BLOCKS
    run(code)
    assert capsys.readouterr().out == "[2 0]\n"


@pytest.fixture
def network(tiny_model, tiny_adapter):
    from peft import PeftModel

    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), tiny_adapter, is_trainable=True)


def test_projected__inner_products_are_those_of_the_gradients(network, tiny_model, some_rows):
    from transformers import AutoTokenizer

    from instruction_selection.models import tokens

    examples = tokens.encode(some_rows, AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 128)
    network.eval()
    whole = np.array(
        [np.concatenate([part.numpy() for part in per_sample.reference(network, each)]) for each in examples]
    )
    assert whole.shape[1] == sum(weight.numel() for weight in parameters.trainable(network).values())
    found = in_memory.projected(network, examples, dimension=8192)
    assert found.norms == pytest.approx(np.linalg.norm(whole, axis=1), rel=0.1)
    unit = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    assert np.abs(found.unit @ found.unit.T - unit @ unit.T).max() < 0.1
