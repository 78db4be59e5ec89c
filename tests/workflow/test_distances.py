"""What distance predicts, from the finished results of a whole run."""

import csv
import json
import math
import statistics

import pytest

pytestmark = pytest.mark.slow

WRITTEN = ("distances.md", "distances.csv", "distances.svg", "distances.png")
TARGETS = {"gsm-symbolic", "logic"}
#: Those that smoke's methods read.
REPRESENTATIONS = {"Adam gradients", "sentence embeddings"}


def test_distances__of_finished_results_are_made_anew_and_run_no_other_job(copy):
    results = copy.path / "results/smoke"
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    first = copy.snakemake("--", "distances")
    assert first.returncode == 0, first.stdout + first.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    written = {name: (results / name).read_bytes() for name in WRITTEN}
    for name in WRITTEN:
        (results / name).unlink()
    second = copy.snakemake("--", "distances")
    assert second.returncode == 0, second.stdout + second.stderr
    assert {name: (results / name).read_bytes() for name in WRITTEN} == written
    planned = copy.snakemake("--dry-run")
    assert "Nothing to be done" in planned.stdout + planned.stderr

    with (results / "distances.csv").open() as file:
        points = list(csv.DictReader(file))
    assert {(point["target"], point["representation"]) for point in points} == {
        (target, name) for target in TARGETS for name in REPRESENTATIONS
    }
    # Neither the untuned model nor all data, which no distance tells from others.
    methods = [(point["method"], point["seed"]) for point in points[:: len(REPRESENTATIONS)]]
    chosen = [*((name, "0") for name in ("random", "random-size-matched", "sbert", "less", "g2is")), ("random", "1")]
    assert sorted(methods) == sorted(chosen * len(TARGETS))
    for point in points:
        assert -1 <= float(point["mean_similarity"]) <= 1
        assert 0 <= float(point["distance_of_means"]) <= 2
        assert math.isfinite(float(point["value"]))
        of_any = point["method"] == "random"
        cell = f"{'any' if of_any else point['target']}/{point['method']}/{point['ratio']}/seed{point['seed']}"
        [selected] = results.glob(f"runs/*/{point['pool']}/{cell}/selected.jsonl")
        lengths = [len(json.loads(line)["response"]) for line in selected.read_text().splitlines()]
        assert float(point["response_length"]) == pytest.approx(statistics.mean(lengths))
    # What selects by a representation is closer in it than Random is.
    for target in TARGETS:
        for method, name in (("less", "Adam gradients"), ("sbert", "sentence embeddings")):
            mine = [point for point in points if (point["target"], point["representation"]) == (target, name)]
            far = {key: float(point["mean_similarity"]) for point in mine if (key := point["method"])}
            assert far[method] > far["random"]


def test_distances__are_of_finished_tables_and_rejected_without_one(copy):
    results = copy.path / "results/smoke"
    (results / "tables/logic.md").unlink()
    result = copy.snakemake("--", "distances")
    assert result.returncode == 0, result.stdout + result.stderr
    with (results / "distances.csv").open() as file:
        assert {point["target"] for point in csv.DictReader(file)} == {"gsm-symbolic"}
    (results / "tables/gsm-symbolic.md").unlink()
    result = copy.snakemake("--", "distances")
    assert result.returncode != 0
    assert "no table of the experiment is finished" in result.stdout + result.stderr
