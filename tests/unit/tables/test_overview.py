"""Drawings of a table have a point for every comparison and every run."""

import json
import re

from support.table_cells import BENCHMARK, cell, collect, spec

from instruction_selection.tables import overview
from instruction_selection.tables.cells import CellFiles

VALUES = {name: {str(row): row / 20 for row in range(20)} for name in ("acc", "loss")}
CELLS = [cell("base", values=VALUES), cell("random", values=VALUES), cell("less", 0, values=VALUES)]


def texts(svg):
    return re.findall("<!-- (.*?) -->", svg)


def test_differences__every_metric_of_a_target_has_a_drawing_of_what_is_compared():
    drawn = overview.differences(collect(CELLS, baseline="random"), spec(baseline="random"))
    assert [drawing.label for drawing in drawn] == [metric.label for metric in BENCHMARK.metrics]
    assert {"Untuned model", "LESS"} <= set(texts(drawn[0].svg))
    assert "Random" not in texts(drawn[0].svg)
    assert "better →" in texts(drawn[0].svg)
    assert "← better" in texts(drawn[1].svg)


def test_differences__every_benchmark_of_a_table_has_a_drawing():
    cells = [cell(method, benchmark=name) for name in ("logic", "maths") for method in ("random", "less")]
    benchmarks = dict.fromkeys(("logic", "maths"), BENCHMARK)
    plan = {"kind": "benchmarks", "baseline": "random", "relative_to": "random"}
    assert len(overview.differences(collect(cells, benchmarks, **plan), spec(benchmarks, **plan))) == 2


def test_differences__without_a_baseline_there_are_none():
    assert overview.differences(collect(CELLS), spec()) == []


def written(folder, cells, loss):
    """The cells' files, as an evaluation and a training write them."""
    for number, each in enumerate(cells):
        samples, training = folder / f"{number}.samples", folder / f"{number}.json"
        lines = [
            {"task": "answer", "filter": "none", "id": row, "acc": value} for row, value in each.values["acc"].items()
        ]
        samples.write_text("".join(json.dumps(line) + "\n" for line in lines))
        training.write_text(json.dumps({"results": {"train_loss": loss}}))
        named = {**each.cell.wildcards(), "benchmark": each.benchmark}
        yield named, CellFiles("", str(samples), None, str(training) if each.selection else None)


def test_behind_scores__are_the_scores_of_rows_and_the_losses_of_trained_models(tmp_path):
    scores, losses = overview.behind_scores(collect(CELLS), written(tmp_path, CELLS, 0.5), spec())
    assert {"Untuned model", "LESS", "Random"} <= set(texts(scores.svg))
    assert {"LESS", "Random"} <= set(texts(losses.svg))
    assert "Untuned model" not in texts(losses.svg)


def test_behind_scores__leave_out_shares_and_diverged_trainings(tmp_path):
    cells = [cell("less", values={name: {"a": 0.0, "b": 1.0} for name in ("acc", "loss")})]
    assert overview.behind_scores(collect(cells), written(tmp_path, cells, float("nan")), spec()) == []


def test_loss_curves__skip_lines_without_a_loss(tmp_path):
    log = tmp_path / "log"
    log.write_text('{"current_steps": 1, "loss": 2.5}\n{"current_steps": 2}\n')
    [(label, svg)] = overview.loss_curves({"Tiny, p": str(log)})
    assert label == "Warm-up: Tiny, p"
    assert "Optimizer step" in texts(svg)
