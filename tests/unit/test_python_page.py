"""The code on the page about Python runs, with the tiny model in the place of its model."""

import re
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from instruction_selection.core import files
from instruction_selection.features.gradients import compute, store
from instruction_selection.features.gradients.in_memory import RawGradients
from instruction_selection.models import tokens

PAGE = Path(__file__).resolve().parents[2] / "docs/python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
FOLDER = "models/SmolLM2-135M-Instruct"


@pytest.mark.parametrize("code", BLOCKS, ids=["gradients", "arrays"])
def test_page__runs(code, tiny_model, tmp_path, monkeypatch, capsys):
    (tmp_path / FOLDER).parent.mkdir()
    (tmp_path / FOLDER).symlink_to(tiny_model)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(code, str(PAGE), "exec"), names)
    assert len(names["chosen"].indices) in (5, 10)
    assert capsys.readouterr().out


def test_raw_gradients__are_those_of_a_store(tiny_model, some_rows, tmp_path):
    files.write_jsonl(tmp_path / "rows.jsonl", some_rows)
    compute.fill(
        *(tmp_path / "rows.h5", tmp_path / "rows.jsonl", (0, 1), tiny_model, tiny_model, ["sgd"], None),
        *("smollm_eot", 512),
        {"projection": {"kind": "sjlt", "dimension": 64, "seed": 7}, "precision": "fp32", "batch_tokens": 400},
    )
    expected = store.Reader(tmp_path / "rows.h5")
    gradients = RawGradients(AutoModelForCausalLM.from_pretrained(tiny_model).eval(), dimension=64, seed=7)
    encoded = tokens.encode(some_rows, AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 512)
    found = gradients.of(encoded, batch_tokens=400)
    assert (found.norms == expected.norms("sgd")).all()
    # A second call is as good as the first.
    assert (gradients.of(encoded[:3], 10_000).norms > 0).all()
