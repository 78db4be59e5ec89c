"""Every method of config/methods in one experiment: what is planned for it, and a few selections from files."""

import json
import shutil
from collections import Counter

import pytest
from support.checkout import Checkout

from instruction_selection.core.features import FEATURES
from instruction_selection.cost import jobs
from instruction_selection.experiment import load, machines
from instruction_selection.experiment.method import Method

from .test_estimate import dependencies, planned_by_snakemake

SMOKE = "methods: [base, full, random, random-size-matched, sbert, less, g2is]"


@pytest.fixture(scope="module")
def everything(fresh, tmp_path_factory) -> Checkout:
    """A checkout whose smoke experiment has every method."""
    checkout = Checkout(shutil.copytree(fresh.path, tmp_path_factory.mktemp("everything") / "checkout"))
    names = ", ".join(load.names(checkout.path / "config", Method))
    checkout.edit("config/experiments/smoke.yaml", SMOKE, f"methods: [{names}]")
    checkout.edit("config/experiments/smoke.yaml", "gradients:\n", "gradients:\n  pool_kinds: [adam, sgd]\n")
    return checkout


def test_methods__every_feature_is_made_and_estimated(everything):
    result = everything.snakemake("--forceall", "--dag", "dot")
    assert result.returncode == 0, result.stderr
    planned = planned_by_snakemake(result.stdout)
    counted = Counter(rule for _, rule, _ in planned)
    assert {feature.rule for feature in FEATURES.values() if feature.rule} <= counted.keys()
    # One per model and pool, whatever the number of targets and methods that read it.
    assert counted["pool_losses"] == counted["pool_embeddings"] == 1
    ours = jobs.plan(load.load(everything.path / "config", "smoke"))
    assert Counter(job.rule for job in ours) == {
        rule: counted[rule] for rule in machines.STAGE_OF_RULE if counted[rule]
    }
    assert dependencies([(job.key, job.rule, list(job.after)) for job in ours]) == dependencies(planned)


@pytest.mark.slow
def test_methods__of_text_losses_and_norms_select_from_files(everything):
    places = {
        **dict.fromkeys(("bm25", "dsir", "knn-dedup"), "any/reasoning/logic"),
        **dict.fromkeys(("perplexity", "ifd", "loss", "grad-norm"), "tiny-llama/reasoning/any"),
    }
    runs = [f"results/smoke/runs/{place}/{name}/0.1/seed0" for name, place in places.items()]
    rows = [f"{run}/selected.jsonl" for run in runs]
    result = everything.snakemake("--", *rows)
    assert result.returncode == 0, result.stdout + result.stderr
    pool = {json.loads(line)["id"] for line in (everything.path / "results/smoke/pools/reasoning/pool.jsonl").open()}
    for run in runs:
        summary = json.loads((everything.path / run / "selection.json").read_text())
        chosen = [json.loads(line)["id"] for line in (everything.path / run / "selected.jsonl").open()]
        assert summary["selected"] == len(set(chosen) & pool) == len(chosen) > 0
        if "/loss/" in run:
            assert summary["stores"]["pool_gradient_losses"]["adapter"]

    assert everything.planned("smoke", "--", *rows) == {}
    # An edit of how losses are computed plans them, and what is selected by them.
    everything.edit(
        "workflow/instruction_selection/features/losses.py", "len(places) <= count", "not len(places) > count"
    )
    again = everything.planned("smoke", "--", *rows)
    assert (again["pool_losses"], again["select_rows"]) == (1, 2)
