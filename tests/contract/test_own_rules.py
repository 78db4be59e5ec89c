"""What every method with a rule of its own keeps to. They are found by their files, as other methods are."""

import json
import re
import shutil
from pathlib import Path

import pytest
from support.checkout import Checkout

from instruction_selection.experiment import load, own_rules, parameters
from instruction_selection.experiment.compared import ComparedSelections
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.paths import Layout


def configured() -> list[str]:
    """Entries of config/methods by a rule of their own; a rule's file has another name where its method's has '-'."""
    return [name for name in load.names("config", Method) if own_rules.exists(name)]


#: Two draws, so that a stochastic method shows that it is one.
SEEDS = "seeds_of: {random: [0, 1]}", "seeds: [0, 1]"


@pytest.fixture
def checkout(fresh, tmp_path) -> Checkout:
    return Checkout(shutil.copytree(fresh.path, tmp_path / "checkout"))


@pytest.mark.skipif(not configured(), reason="no method has a rule of its own")
@pytest.mark.parametrize("method", configured() or ["none"])
def test_own_rule__selects_the_same_rows_twice_and_draws_only_if_it_says_so(method, checkout):
    smoke = checkout.path / "config/experiments/smoke.yaml"
    smoke.write_text(
        re.sub(r"^methods: \[.*\]$", f"methods: [random, {method}]", smoke.read_text(), flags=re.MULTILINE)
    )
    checkout.edit("config/experiments/smoke.yaml", *SEEDS)
    checkout.edit("config/experiments/smoke.yaml", "gradients:\n", "gradients:\n  pool_kinds: [adam, sgd]\n")
    experiment = load.load(checkout.path / "config", "smoke")
    cells = [names for names in ComparedSelections(experiment).wildcards() if names["method"] == method]
    first = cells[0]["target"]
    cells = [names for names in cells if names["target"] == first]
    rows = [Layout(experiment.folder).selected.format(**names) for names in cells]
    chosen = []
    for _ in range(2):
        result = checkout.snakemake("--", *rows)
        assert result.returncode == 0, result.stdout + result.stderr
        chosen.append([[json.loads(line)["id"] for line in (checkout.path / path).open()] for path in rows])
        for path in rows:
            shutil.rmtree((checkout.path / path).parent)
    assert chosen[0] == chosen[1]
    pool = experiment.settings.pools["reasoning"].rows
    assert all(0 < len(ids) <= pool // 10 for ids in chosen[0])
    stochastic = experiment.methods[method].stochastic
    assert len({tuple(ids) for ids in chosen[0]}) == len(cells) == (2 if stochastic else 1)


def test_own_rules__each_has_its_entry_and_declares_its_parameters():
    entries = {name: load.read_entry(Path("config"), Method, name) for name in configured()}
    assert {own_rules.path(name).stem for name in entries} == set(own_rules.names())
    for name, entry in entries.items():
        assert parameters.declared(entry.code(name)).model_validate(entry.params)
