"""What a whole run leaves behind."""

import csv
import json
import re
from pathlib import Path

import h5py
import pytest
import yaml

from instruction_selection.core import files
from instruction_selection.cost import jobs
from instruction_selection.experiment import load
from instruction_selection.experiment.paths import Layout

pytestmark = pytest.mark.slow

TARGETS = ["gsm-symbolic", "logic"]
METHODS = ["Untuned model", "All data", "Random", "Random, as many as G2IS", "Sentence-BERT", "LESS", "G2IS"]


@pytest.fixture(scope="module")
def results(finished) -> Path:
    return finished.path / "results" / "smoke"


@pytest.fixture(scope="module")
def settings(finished) -> dict:
    return yaml.safe_load((finished.path / "config" / "experiments" / "smoke.yaml").read_text())


@pytest.mark.parametrize("target", TARGETS)
def test_table__has_a_row_for_every_method(results, settings, target):
    with (results / "tables" / f"{target}.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["method"], row["metric"]) for row in rows] == [
        (method, metric)
        for method in METHODS
        for metric in ("log_likelihood", "log_likelihood_with_end", "exact_match")
    ]
    rows = [row for row in rows if row["metric"] == "log_likelihood"]
    budget = settings["pools"]["reasoning"]["rows"] // 10
    chosen = {row["method"]: row["rows_chosen"] for row in rows}
    assert chosen["Untuned model"] == ""
    assert float(chosen["All data"]) == settings["pools"]["reasoning"]["rows"]
    for method in METHODS[2:]:
        assert 0 < float(chosen[method]) <= budget
    for row in rows:
        assert int(row["samples"]) == settings["targets"][target]["evaluation_rows"]
        assert float(row["value"]) < 0
        # All but the baseline are compared with it on the same rows.
        assert row["baseline"] == ("" if row["method"] == "Random" else "Random")
        if row["baseline"]:
            assert float(row["low"]) <= float(row["difference"]) <= float(row["high"])
            assert float(row["p"]) <= float(row["p_adjusted"]) <= 1


@pytest.mark.parametrize("target", TARGETS)
def test_table__differs_with_what_was_chosen(results, target):
    """Models tuned on different rows score differently: nothing hands the same adapter to everyone."""
    with (results / "tables" / f"{target}.csv").open() as handle:
        scores = {row["method"]: row["value"] for row in csv.DictReader(handle) if row["metric"] == "log_likelihood"}
    assert len(set(scores.values())) == len(METHODS)


@pytest.mark.parametrize("target", TARGETS)
def test_sample__is_kept(results, settings, target):
    for evaluation in results.glob(f"runs/**/eval/{target}.json"):
        summary = json.loads(evaluation.read_text())
        samples = [json.loads(line) for line in evaluation.with_suffix(".samples.jsonl").open()]
        assert len({sample["doc"]["id"] for sample in samples}) == settings["targets"][target]["evaluation_rows"]
        for metric, task in (("log_likelihood", "answer"), ("log_likelihood_with_end", "answer_and_end")):
            scores = [sample["perplexity"] for sample in samples if sample["task"] == task]
            assert summary["metrics"][metric]["value"] == pytest.approx(sum(scores) / len(scores))


def test_jobs__shared_by_two_targets_are_done_once(results):
    adapters = sorted(str(path.relative_to(results / "runs")) for path in results.glob("runs/**/adapter"))
    assert len(adapters) == 11
    assert [path for path in adapters if "/any/full/" in path or "/any/random/" in path] == [
        "tiny-llama/reasoning/any/full/1/seed0/adapter",
        "tiny-llama/reasoning/any/random/0.1/seed0/adapter",
        "tiny-llama/reasoning/any/random/0.1/seed1/adapter",
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_size_control__has_as_many_rows_as_g2is_chose(results, target):
    folder = results / "runs/tiny-llama/reasoning" / target
    control, followed = (
        json.loads((folder / method / "0.1/seed0/selection.json").read_text())
        for method in ("random-size-matched", "g2is")
    )
    assert control["selected"] == control["budget"] == followed["selected"]
    assert "g2is" in control["sized_like"]
    assert [checkpoint["weight"] for checkpoint in followed["checkpoints"]] == [1]
    assert 0 < followed["checkpoints"][0]["second_moments_below_epsilon"] <= 1
    assert control["checkpoints"] == []


def test_store__is_gathered_from_shards_in_the_order_of_the_pool(results):
    pool = [json.loads(line)["id"] for line in (results / "pools/reasoning/pool.jsonl").open()]
    folder = results / "gradients/tiny-llama/reasoning/checkpoint1"
    assert len(list(folder.glob("shards/*.h5"))) == 2
    with h5py.File(folder / "pool.h5") as store:
        assert store["adam"].is_virtual
        assert [name.decode() for name in store["id"]] == pool
        assert store["finite"][:].all()


def test_evaluation_rows__are_held_out(results):
    def instructions(path: str) -> set[str]:
        return {json.loads(line)["instruction"] for line in (results / path).open()}

    pool = instructions("pools/reasoning/pool.jsonl")
    for target in TARGETS:
        held_out = instructions(f"targets/{target}/evaluation.jsonl")
        assert not held_out & (pool | instructions(f"targets/{target}/validation.jsonl"))
        assert json.loads((results / f"targets/{target}/overlap/reasoning.json").read_text())["overlapping_rows"] == 0


def test_training__read_its_own_selection(results):
    for path in results.glob("runs/**/training.json"):
        summary = json.loads(path.read_text())
        method = path.relative_to(results / "runs").parts[3]
        assert f"/{method}/" in summary["provenance"]["inputs"]["rows"]["path"]
        assert summary["results"]["train_loss"] > 0


def test_summary__says_what_made_it(results):
    runs = ("selection.json", "training.json", "eval/*.json")
    patterns = ["pools/*/*.json", "targets/*/*.json", *(f"runs/**/{name}" for name in runs)]
    found = [path for pattern in patterns for path in results.glob(pattern)]
    # What a folder's files were when they were last hashed is no result.
    for path in [path for path in found if not path.name.startswith(".")]:
        provenance = json.loads(path.read_text())["provenance"]
        assert len(provenance["git_commit"].removesuffix("-dirty")) == 40
        assert provenance["versions"]["python"]
        assert all(len(entry["sha256"]) == 64 for entry in provenance["inputs"].values())


def test_report__holds_every_table_and_figure(results):
    report = (results / "report.html").read_text()
    for method in METHODS:
        assert report.count(method) >= len(TARGETS)
    # A figure and a heat table per target, and beside each selection the lengths of its rows.
    assert report.count("data:image/svg+xml") > 2 * len(TARGETS) + len(METHODS)


def test_report__links_to_the_page_of_every_selection(results):
    pages = set(results.glob("runs/**/selection.html"))
    links = re.findall(r'<a href="([^"]+)"', (results / "report.html").read_text())
    assert {results / link for link in links} == pages
    # The selections of the methods whose size the experiment chooses.
    assert len(pages) == 2 + 4 * len(TARGETS)


def test_snakemake_report__has_tables_figures_and_pages(finished, tmp_path):
    """Each with a caption, under its category."""
    result = finished.snakemake("--report", str(tmp_path / "report.html"))
    assert result.returncode == 0, result.stdout + result.stderr
    page = (tmp_path / "report.html").read_text()
    assert (tmp_path / "report.html").stat().st_size < 100e6
    [shown] = re.findall(r"^\s*var results = (\{.*\});?$", page, re.MULTILINE)
    found = json.loads(shown)
    patterns = ("report.html", "tables/*.csv", "figures/*.svg", "runs/**/selection.html")
    results = finished.path / "results/smoke"
    expected = [path for pattern in patterns for path in results.glob(pattern)]
    assert set(found) == {str(path.relative_to(finished.path)) for path in expected}
    assert all("<p>" in entry["caption"] and entry["labels"] for entry in found.values())
    assert all(entry["data_uri"].startswith("data:") for entry in found.values())
    [categories] = re.findall(r"^\s*var categories = (\{.*\});?$", page, re.MULTILINE)
    assert set(json.loads(categories)) == {"Report", "Tables", "Figures", "Selections"}


@pytest.mark.parametrize("target", TARGETS)
def test_shared_rows__are_in_the_report(results, target):
    """In a table of all pairs of methods."""
    with (results / "tables" / f"{target}.shared-rows.csv").open() as handle:
        shared = {(row["method"], row["other"]): int(row["shared"]) for row in csv.DictReader(handle)}
    assert {method for method, _ in shared} == {"random", "random-size-matched", "sbert", "less", "g2is"}
    folders = {
        method: results / f"runs/tiny-llama/reasoning/{target}/{method}/0.1/seed0" for method in ("g2is", "less")
    }
    chosen = {
        method: {json.loads(line)["id"] for line in (folder / "selected.jsonl").open()}
        for method, folder in folders.items()
    }
    assert shared["g2is", "less"] == len(chosen["g2is"] & chosen["less"])
    selection = json.loads((folders["g2is"] / "selection.json").read_text())
    pool = {json.loads(line)["id"] for line in (results / "pools/reasoning/pool.jsonl").open()}
    assert {component["anchor"] for component in selection["details"]["components"]} <= pool
    assert selection["stores"]["pool_gradients"]["sampled_pairs"] > 0


def test_jobs__leave_no_temporary_files(results):
    left = [path for path in results.rglob("*") if path.suffix in {".tmp", ".partial"} or path.name == "training"]
    assert left == []


def test_jobs__record_how_long_they_worked(results, repository):
    """Each that costs something, in less than its whole time."""
    layout = Layout("smoke", str(results.parent))
    for job in jobs.plan(load.load(repository / "config", "smoke")):
        names = dict(job.wildcards)
        total = float(files.read_benchmark(layout.benchmark(job.rule, *names).format(**names))["s"])
        worked = files.read_json(layout.worked(job.rule, *names).format(**names))
        assert 0 < worked["seconds"] < total, job
        assert worked["share"] == 1
