"""With a card named in `gpus.card`: what does not fit is rejected before the first job, and batches follow from it."""

import shutil

import h5py
import pytest
import yaml
from support.checkout import Checkout

from instruction_selection.core import files
from instruction_selection.features.memory import MOST_TOKENS

SHARD = "results/smoke/gradients/tiny-llama/reasoning/checkpoint1/shards/0.h5"


@pytest.fixture
def checkout(fresh, tmp_path) -> Checkout:
    """Nothing has been run in it."""
    return Checkout(shutil.copytree(fresh.path, tmp_path / "checkout", symlinks=True))


def name_card(checkout: Checkout, gigabytes: int) -> None:
    path = checkout.path / "config/experiments/smoke.yaml"
    smoke = yaml.safe_load(path.read_text())
    smoke["gpus"] = {"training": 1, "gradients": 1, "evaluation": 1, "card": gigabytes}
    path.write_text(yaml.safe_dump(smoke))


def test_run__that_does_not_fit_the_card_is_rejected_before_its_first_job(checkout):
    name_card(checkout, 1)
    result = checkout.snakemake()
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "config/experiments/smoke.yaml: gpus.card: no room for" in output
    assert "of tiny-llama" in output
    assert "Traceback" not in output
    results = checkout.path / "results"
    made = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert {name for name in made if not name.startswith(("smoke/logs", "smoke/benchmarks"))} == {"smoke/memory.json"}


@pytest.mark.slow
def test_batch_tokens__follow_from_the_card_and_are_recorded(checkout):
    name_card(checkout, 16)
    result = checkout.snakemake("--", SHARD)
    assert result.returncode == 0, result.stdout + result.stderr
    chosen = files.read_json(checkout.path / "results/smoke/memory.json")["tiny-llama"]["batch_tokens"]
    assert chosen == MOST_TOKENS
    with h5py.File(checkout.path / SHARD) as store:
        assert store.attrs["batch_tokens"] == chosen
    # The card decides nothing: another one plans nothing of what is finished.
    name_card(checkout, 24)
    planned = checkout.planned("smoke", "--", SHARD)
    assert not planned, planned
