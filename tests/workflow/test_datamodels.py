"""What scores predict of random subsets: the command that reads finished results, and the experiment for it."""

import csv
import shutil

import pytest
from support import subsets
from support.checkout import Checkout


@pytest.fixture
def checkout(fresh, tmp_path, monkeypatch) -> Checkout:
    """With the experiment `small`, of which nothing has run."""
    found = Checkout(shutil.copytree(fresh.path, tmp_path / "checkout"))
    subsets.configure(found.path)
    monkeypatch.chdir(found.path)
    return found


def test_datamodels__writes_table_numbers_and_figure_of_what_is_finished(checkout):
    subsets.write(seeds=20)
    before = {path for path in checkout.path.glob("results/**/*") if path.is_file()}
    result = checkout.snakemake("--", "datamodels", experiment="small")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "20 of 30 subsets on logic" in result.stdout
    written = {path.name for path in checkout.path.glob("results/**/*") if path.is_file()} - {
        path.name for path in before
    }
    assert written == {f"datamodels.{suffix}" for suffix in ("md", "csv", "svg", "png", "log")}
    with (checkout.path / "results/small/datamodels.csv").open() as file:
        best = {line["target"]: line["method"] for line in reversed([*csv.DictReader(file)])}
    assert best == {"gsm-symbolic": "sbert", "logic": "sbert"}


def test_datamodels__before_enough_subsets_are_finished_is_one_sentence(checkout):
    subsets.write(seeds=3)
    result = checkout.snakemake("--", "datamodels", experiment="small")
    assert result.returncode != 0
    assert "3 of 30 random subsets are evaluated" in result.stdout + result.stderr
    assert not list(checkout.path.glob("results/small/datamodels.[!l]*"))


def test_experiment__trains_a_model_for_every_subset_and_few_others(repository):
    planned = Checkout(repository).planned("datamodels", "--forceall", "--nolock", "--", "tables")
    # LESS, GIST, RDS+, Sentence-BERT, BM25 and DSIR for each target; gradient norm, loss and IFD for both; the untuned
    # model.
    assert planned["finetune"] == 200 + 6 * 2 + 3
    assert planned["evaluate"] == 2 * 200 + 6 * 2 + 3 * 2 + 2
    assert "selection_page" not in planned
