"""A small study: every draw, and the table over them."""

import csv
import shutil

import pytest
from support.checkout import Checkout

#: Nothing is trained, so that it takes a minute.
STUDY = """\
summary: Two draws of the untuned model's scores.
models: [tiny-llama]
pools:
  reasoning: {rows: 48}
targets:
  logic: {validation_rows: 4, evaluation_rows: 8}
methods: [base]
ratios: [0.25]
warmup: {rows: 8}
gradients: {shards: 1}
draws: 2
evaluation:
  dtype: float32
"""


@pytest.fixture(scope="module")
def study(fresh, tmp_path_factory) -> Checkout:
    checkout = Checkout(shutil.copytree(fresh.path, tmp_path_factory.mktemp("study") / "checkout"))
    (checkout.path / "config/experiments/small.yaml").write_text(STUDY)
    for draw in (1, 2):
        result = checkout.snakemake(f"draw={draw}", experiment="small")
        assert result.returncode == 0, result.stdout + result.stderr
    return checkout


def test_draws__have_a_table_over_them(study):
    result = study.snakemake("--", "draws", experiment="small")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Draws 1, 2 of 2: results/small/draws/logic.md" in result.stdout
    folder = study.path / "results/small/draws"
    assert "(2 draws)" in (folder / "logic.md").read_text()
    assert r"\label{tab:draws-logic-" in (folder / "logic.tex").read_text()
    with (folder / "logic.csv").open() as file:
        assert {row["method"] for row in csv.DictReader(file)} == {"Untuned model"}


def test_draws__without_selections_have_no_distances(study):
    result = study.snakemake("--", "distances", experiment="small")
    assert result.returncode != 0
    assert "no selection of part of a pool" in result.stdout + result.stderr
    assert not (study.path / "results/small/distances.json").exists()


def test_draws__that_are_finished_are_not_made_again(study):
    for draw in (1, 2):
        result = study.snakemake(f"draw={draw}", "--dry-run", experiment="small")
        assert "Nothing to be done" in result.stdout + result.stderr
