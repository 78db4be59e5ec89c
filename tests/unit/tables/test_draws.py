"""The table over draws, from results that belong together; and what can be planned from them."""

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from support.records import belonging_together
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.experiment import finished, load, representations
from instruction_selection.experiment.chain import Chain
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import distances, draws, planning, render, results, statistics

ROWS = 40
METHODS = ["base", "random", "sbert", "less"]
#: Better than Random by this much.
EFFECT = {"sbert": 3.0}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A checkout's folder whose experiment `small` has six draws and two seeds of Random; no draw has run."""
    shutil.copytree("config", tmp_path / "config")
    path = tmp_path / "config/experiments/small.yaml"
    experiment = yaml.safe_load((tmp_path / "config/experiments/smoke.yaml").read_text())
    experiment["targets"] = {"logic": experiment["targets"]["logic"]}
    experiment |= {"methods": METHODS, "draws": 6, "seeds_of": {"random": [0, 1]}}
    path.write_text(yaml.safe_dump(experiment))
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def by_ratio(study):
    """The same experiment with a table for each of two ratios, and a published number in that of the first."""
    tables = {"tenth": {"ratios": [0.1], "reported": "tenth.csv"}, "half": {"ratios": [0.5]}}
    for name, keys in tables.items():
        write_table(name, **keys)
    line = "model,pool,benchmark,method,ratio,reported\ntiny-llama,reasoning,logic,less,0.1,42\n"
    Path("config/tables/reported/tenth.csv").write_text(line)
    experiment = yaml.safe_load(study.read_text())
    study.write_text(yaml.safe_dump({**experiment, "ratios": [0.1, 0.5], "tables": list(tables)}))
    return study


def write_table(name, **keys):
    table = {"label": name, "caption": "All methods.", **keys}
    Path(f"config/tables/{name}.yaml").write_text(yaml.safe_dump(table))


def run(draw, *tables):
    """Write the results of a draw, or of some of its tables: rows differ, draws differ, and a method has its
    `EFFECT`."""
    wiring = Wiring(load.load("config", "small", draw))
    chain = Chain(wiring, *(tables or wiring.experiment.tables)).results()
    contents = belonging_together(chain)
    for pool in wiring.experiment.pools:
        contents[wiring.paths.pool_summary.format(pool=pool)] |= {"pool": pool, "rows": 10, "tasks": {"aiw": 2 + draw}}
    shared = np.random.default_rng(draw).normal(0, 5)
    for table in tables or wiring.experiment.tables:
        for names, evaluation, samples, selection, _ in wiring.table_cells(table):
            if selection:
                contents[selection] |= {"selected": 4, "tasks": {"aiw": 1}}
            write_scores(wiring, names, contents[evaluation], samples, shared)
        for path in wiring.files_of(table):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).touch()
    for path, content in contents.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, content)


def write_scores(wiring, names, evaluation, samples, shared):
    rng = np.random.default_rng([int(names["seed"]), *names["method"].encode()])
    difficulty = np.random.default_rng(0).normal(0, 10, ROWS)
    values = difficulty + shared + rng.normal(0, 0.3) + rng.normal(0, 1, ROWS) + EFFECT.get(names["method"], 0)
    metrics = wiring.experiment.benchmarks[names["benchmark"]].metrics
    lines = [
        {"id": f"row{row}", "task": task, "filter": filter_name}
        | {metric.metric or metric.name: value for metric in metrics}
        for task, filter_name in dict.fromkeys((metric.task, metric.filter) for metric in metrics)
        for row, value in enumerate(values.tolist())
    ]
    files.write_jsonl(samples, lines)
    evaluation |= {
        "samples": ROWS,
        "metrics": {metric.name: {"value": float(values.mean()), "stderr": 1.0} for metric in metrics},
        "samples_sha256": files.sha256(samples),
    }


def by_method(rows):
    return {row.method: row for row in rows}


def over_draws(table="logic"):
    return draws.summary(draws.by_table(finished.draws("config", "small"))[table], table)


def test_finished__only_draws_whose_tables_are_there_in_order(study):
    with rejected("no-finished-draw", path="results/small"):
        finished.draws("config", "small")
    for draw in (4, 2):
        run(draw)
    assert [each.draw for each in finished.draws("config", "small")] == [2, 4]
    with rejected("no-draws", path="experiments/smoke.yaml", key="draws"):
        finished.draws("config", "smoke")


def test_finished__runs_are_the_draws_or_the_experiment_itself(study):
    with rejected("no-finished-draw", path="results/small"):
        finished.runs("config", "small")
    run(2)
    assert [each.draw for each in finished.runs("config", "small")] == [2]
    with rejected("not-finished", path="results/smoke"):
        finished.runs("config", "smoke")
    wiring = Wiring(load.load("config", "smoke"))
    for path in wiring.files_of(list(wiring.experiment.tables)):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    assert [each.folder for each in finished.runs("config", "smoke")] == ["smoke"]


def test_summary__differences_are_within_draws_and_a_real_one_is_found(study):
    for draw in range(1, 7):
        run(draw)
    rows, spec = over_draws()
    metric = spec.first_metric(rows[0].benchmark)
    found = by_method(rows)
    assert all(row.seeds == 6 for row in rows)
    compared = {name: row.metrics[metric.name].comparison for name, row in found.items()}
    better, same = compared["Sentence-BERT"], compared["LESS"]
    assert better.difference == pytest.approx(3 * metric.scale, abs=0.7 * abs(metric.scale))
    assert better.test == statistics.TWO_LEVELS
    assert better.p_adjusted < 0.01
    assert same.p_adjusted > 0.05
    # What all methods of a draw share, with a standard deviation of 5, is not in the difference.
    assert better.high - better.low < 2.5 * abs(metric.scale)
    text = render.to_markdown(rows, spec)
    assert "Draws 1, 2, 3, 4, 5, 6 of 6" in text
    assert "(6 draws)" in text
    assert "seed" not in text


def test_summary__seeds_of_a_draw_are_averaged_first(study):
    for draw in (1, 2):
        run(draw)
    experiments = finished.draws("config", "small")
    spec = draws.spec_of(experiments, "logic")
    cells = [each for each in draws.cells(experiments, "logic", spec) if each.cell.method == "random"]
    assert sorted(each.cell.seed for each in cells) == [1, 2]
    wiring = Wiring(experiments[0])
    own = {
        names["seed"]: files.read_json(evaluation)["metrics"]
        for names, evaluation, *_ in wiring.table_cells("logic")
        if names["method"] == "random"
    }
    assert set(own) == {"1000", "1001"}
    for name, evaluated in cells[0].metrics.items():
        assert evaluated.value == pytest.approx(np.mean([metrics[name]["value"] for metrics in own.values()]))
        assert np.mean(list(cells[0].values[name].values())) == pytest.approx(evaluated.value)


def test_summary__holm_covers_the_table_and_the_csv_has_means_of_pools(study):
    for draw in (1, 3):
        run(draw)
    rows, spec = over_draws()
    compared = [
        row.metrics[metric.name].comparison
        for row in rows
        if row.baseline is not None
        for metric in spec.shown_metrics(row.benchmark)
    ]
    assert statistics.holm([each.p for each in compared]) == [each.p_adjusted for each in compared]
    lines = list(csv.DictReader(io.StringIO(results.to_csv(rows, spec))))
    assert {line["family_rows_in_pool"] for line in lines if line["method"] == "LESS"} <= {"4", "4.0"}


def test_summary__results_of_other_code_are_rejected_across_draws(study):
    for draw in (1, 2):
        run(draw)
    wiring = Wiring(load.load("config", "small", 2))
    path = wiring.table_cells("logic")[0][1]
    content = files.read_json(path)
    content["provenance"]["code"] = "another"
    files.write_json(path, content)
    with rejected("mixed-code"):
        over_draws()


def test_by_table__has_each_over_the_draws_that_have_it(by_ratio):
    for draw in (1, 2, 5):
        run(draw, "tenth")
    run(2, "half")
    run(4, "half")
    found = draws.by_table(finished.draws("config", "small"))
    assert {table: [each.draw for each in drawn] for table, drawn in found.items()} == {
        "tenth": [1, 2, 5],
        "half": [2, 4],
    }
    for table, drawn in found.items():
        rows, spec = over_draws(table)
        assert {row.seeds for row in rows} == {len(drawn)}
        numbers = ", ".join(str(each.draw) for each in drawn)
        assert f"All methods. Draws {numbers} of 6" in render.to_markdown(rows, spec)
        # The pool of draw n has 2 + n such rows.
        [family] = {row.chosen.family_rows_in_pool for row in rows if row.chosen}
        assert family == pytest.approx(2 + np.mean([each.draw for each in drawn]))


def test_summary__of_one_table_reads_no_results_of_another(by_ratio):
    for draw in (1, 2):
        run(draw, "tenth")
    rows, _ = over_draws("tenth")
    assert {row.ratio for row in rows if row.method != "Untuned model"} == {"0.1"}
    assert {row.method: row.published for row in rows if row.published is not None} == {"LESS": 42}
    with pytest.raises(FileNotFoundError):
        draws.summary([load.load("config", "small", draw) for draw in (1, 2)], "half")


def test_planning__counts_a_method_at_each_ratio_of_the_draws_that_have_it(by_ratio, monkeypatch):
    # A table of one number instead of 25, because each takes a while.
    monkeypatch.setattr(planning, "ROWS", (64,))
    monkeypatch.setattr(planning, "DRAWS", (8,))
    for draw in (1, 2, 5):
        run(draw, "tenth")
    run(2, "half")
    assert "2 methods against the baseline" in planning.text(finished.draws("config", "small"))
    run(4, "half")
    assert "4 methods against the baseline" in planning.text(finished.draws("config", "small"))
    # Another table with the same comparisons.
    write_table("again", ratios=[0.5])
    by_ratio.write_text(yaml.safe_dump({**yaml.safe_load(by_ratio.read_text()), "tables": ["tenth", "half", "again"]}))
    for draw in (2, 4):
        run(draw, "again")
    assert "4 methods against the baseline" in planning.text(finished.draws("config", "small"))


def test_planning__says_what_could_be_shown_and_needs_two_draws(study):
    run(1)
    with rejected("nothing-to-plan-from"):
        planning.text(finished.draws("config", "small"))
    run(2)
    text = planning.text(finished.draws("config", "small"))
    assert "2 methods against the baseline" in text
    assert "variance of a difference" in text


def test_distances__of_two_draws_are_beside_the_scores_of_their_selections(study):
    for draw in (1, 3):
        run(draw)
    experiments = finished.draws("config", "small")
    spec = distances.spec_of(experiments[0])
    measured = [
        {"draw": each.draw, "model": case.model, "pool": case.pool, "target": case.target, "method": method}
        | {"ratio": ratio, "seed": seed, "representation": name, "rows": 4}
        | {"mean_similarity": 0.5, "distance_of_means": 0.1, "response_length": 50.0}
        for each in experiments
        for case in representations.cases(Wiring(each))
        for method, ratio, seed in case.selections
        for name in ("Adam gradients", "hidden states")
    ]
    found = distances.points(experiments, measured, spec)
    # Random has two seeds, and the other two methods one.
    assert len(found) == len(measured) == 2 * 2 * 4
    metric = spec.first_metric("logic")
    for experiment in experiments:
        for names, evaluation, *_ in Wiring(experiment).table_cells("logic"):
            value = metric.scale * files.read_json(evaluation)["metrics"][metric.name]["value"]
            mine = [
                point.value
                for point in found
                if (point.draw, point.method, str(point.seed)) == (experiment.draw, names["method"], names["seed"])
            ]
            assert mine == pytest.approx([value] * (0 if names["method"] == "base" else 2))
    with rejected("no-distances", path="results/small/draw1"):
        distances.points(experiments, [], spec)
