"""Sentences say what the marks beside the numbers say, and no more."""

from dataclasses import replace

from support.table_cells import BENCHMARK, LOSS, SCORE, cell, collect, spec

from instruction_selection.tables import findings, results

GOOD = {name: {str(row): float(row > 0) for row in range(20)} for name in ("acc", "loss")}
BAD = {name: dict.fromkeys(map(str, range(20)), 0.0) for name in GOOD}
RANDOM = [cell("random", seed, acc=0.0, values={**BAD, "acc": {**BAD["acc"], str(seed): 1.0}}) for seed in range(3)]
LESS = [cell("less", seed, acc=0.95, values={**GOOD, "acc": {**GOOD["acc"], str(seed): 0.0}}) for seed in (1, 2)]


def of(cells, metrics=(SCORE,), **plan):
    described = {"logic": replace(BENCHMARK, metrics=metrics)}
    plan = {"baseline": "random", **plan}
    return findings.of_table(collect(cells, described, **plan), spec(described, **plan))


def said(cells, **plan):
    return " ".join(of(cells, **plan)[0].sentences)


def test_of_table__differences_over_seeds_are_of_methods():
    text = said([*RANDOM, *LESS])
    assert "Best score, 95: LESS." in text
    assert "Better than Random, over evaluation rows and seeds: LESS +85" in text
    assert "does not show" not in text


def test_of_table__differences_of_one_seed_are_of_models():
    text = said([*RANDOM, *LESS[:1]])
    assert "Whether a method differs from Random is not tested" in text
    assert "Models better than those of Random, over evaluation rows alone, which does not show" in text
    assert "rows and seeds" not in text


def test_of_table__no_difference_is_said_to_be_none_that_is_shown():
    text = said([*RANDOM, *[cell("less", seed, values=RANDOM[seed].values) for seed in range(3)]])
    assert "No method is shown to differ from Random" in text
    assert "No difference from Random is shown: LESS." in text
    assert "Better" not in text
    assert "Worse" not in text


def test_of_table__lower_may_be_better():
    text = said([cell("random", loss=0.0, values=BAD), cell("less", loss=0.95, values=GOOD)], metrics=(LOSS,))
    assert "Models worse than those of Random" in text
    assert "Best score, 0.00: Random." in text


def test_of_table__ties_are_all_the_best():
    assert "Best score, 50: LESS; Random." in said([cell("less"), cell("random")])


def test_of_table__without_a_baseline_compares_nothing():
    assert "Nothing is compared" in said([cell("less"), cell("random")], baseline=None)


def test_of_table__every_metric_has_a_finding_the_first_one_first():
    assert [found.heading for found in of([*RANDOM, *LESS], (SCORE, LOSS))] == ["Accuracy (%)", "Loss"]


def test_of_table__several_benchmarks_are_counted_by_method():
    found = of([*RANDOM, *LESS], kind="benchmarks")
    assert [each.heading for each in found] == ["Tiny"]
    assert found[0].sentences == ["LESS, 1 comparison: 1 better than Random, over evaluation rows and seeds."]


def test_from_csv__gives_the_rows_that_were_written(tmp_path):
    cells = [cell("base", values=BAD), *RANDOM, *LESS]
    rows = collect(cells, baseline="random")
    (tmp_path / "table.csv").write_text(results.to_csv(rows, spec()))
    read = results.from_csv(tmp_path / "table.csv")
    unwritten = [
        replace(row, metrics={name: replace(score, by_seed=()) for name, score in row.metrics.items()}) for row in rows
    ]
    assert read == unwritten
    assert findings.of_table(read, spec()) == findings.of_table(rows, spec())
