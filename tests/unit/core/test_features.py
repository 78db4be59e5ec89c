"""A feature is declared once, in `core.features`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from instruction_selection.core.features import FEATURES
from instruction_selection.core.ratios import ratio_text, selected_count
from instruction_selection.cost import jobs
from instruction_selection.experiment import machines
from instruction_selection.selection import reading

WORKFLOW = Path(__file__).resolve().parents[3] / "workflow"

#: Quality scores that the model gives each example of a pool.
ADDED = """
from instruction_selection.core import features
features.FEATURES["pool_scores"] = features.Feature(
    "pool_scores", side="pool", reader="vectors", summary="scores", file="scores/{model}/{pool}.h5", rule="score_pool",
    made_by="model", dataset="score", numbers=3,
)

import numpy as np
from instruction_selection.cost import jobs
from instruction_selection.experiment import grid, load, machines, schemas
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.selection import Inputs

experiment = load.load("config", "smoke")
scored = Method(label="Scored", summary="s.", reference="r", needs=("pool_scores",))
experiment = experiment.model_copy(update={"methods": {**experiment.methods, "scored": scored}})
assert "pool_scores" in str(Method.model_json_schema())
assert grid.uses_model(scored) and not grid.targeted(scored)

class Wildcards(dict):
    __getattr__ = dict.__getitem__


named = {"model": "tiny-llama", "pool": "reasoning", "target": "any", "method": "scored", "ratio": "0.1", "seed": "0"}
cell, wiring = Wildcards(named), Wiring(experiment)
assert wiring.paths.feature("pool_scores") == "results/smoke/scores/{model}/{pool}.h5"
inputs = wiring.selection_inputs(cell)
assert inputs == {"features": ["results/smoke/scores/tiny-llama/reasoning.h5"]}
assert wiring.fixed_features(cell) == {"pool_scores": inputs["features"]}
assert set(wiring.features_made_with(cell)) == {"template", "cutoff_len"}

assert machines.STAGE_OF_RULE["score_pool"] == "gradients"
assert jobs.feature_numbers(experiment, "scored") == 3
job = jobs.job(experiment, "score_pool", {"model": "tiny-llama", "pool": "reasoning"})
assert job.work == jobs.job(experiment, "pool_hidden_states", {"model": "tiny-llama", "pool": "reasoning"}).work

given = Inputs.of(4, pool_scores=InMemoryMatrix.normalised(np.array([[3.0], [0.0], [1.0], [2.0]])))
assert given.usable().tolist() == [True, False, True, True]
assert given.at(np.array([3, 0])).pool_scores.norms.tolist() == [2, 3]
"""


def test_features__every_layer_accepts_a_new_entry():
    command, environment = [sys.executable, "-c", ADDED], {"PYTHONPATH": str(WORKFLOW)}
    done = subprocess.run(command, cwd=WORKFLOW.parent, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", FEATURES)
def test_features__an_entry_is_named_after_its_side_and_can_be_read_and_made(name):
    feature = FEATURES[name]
    assert feature.name == name
    assert name.startswith(f"{feature.side}_")
    assert feature.reader in reading.READERS
    assert (feature.file is None) == (feature.rule is None) == (feature.made_by is None)
    assert feature.per_checkpoint == ("{checkpoint}" in (feature.file or ""))
    if feature.rule:
        assert feature.rule in machines.STAGE_OF_RULE
        assert feature.rule in jobs.WORK


def test_features__a_rule_of_the_workflow_makes_each():
    rules = "".join(path.read_text() for path in (WORKFLOW / "rules").glob("*.smk"))
    for feature in FEATURES.values():
        assert feature.rule is None or re.search(rf"^(rule|use rule .* as) {feature.rule}\b", rules, re.M)


@pytest.mark.parametrize(("ratio", "examples", "count"), [(0.29, 100, 29), (0.1, 19, 1), (1.0, 7, 7), (0.01, 20, 0)])
def test_selected_count__of_the_decimal_number(ratio, examples, count):
    assert selected_count(ratio, examples) == count


@pytest.mark.parametrize(("ratio", "text"), [(1, "1"), (1.0, "1"), (0.05, "0.05"), (0.1, "0.1"), (10.0, "10")])
def test_ratio_text__shortest(ratio, text):
    assert ratio_text(ratio) == text
