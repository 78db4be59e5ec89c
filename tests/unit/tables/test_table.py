import csv
import io
import math
import statistics

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from instruction_selection.config import ANY
from instruction_selection.errors import InputError
from instruction_selection.tables import table

SCORE = {"name": "acc", "label": "Accuracy (%)", "scale": 100, "higher_is_better": True}
LOSS = {"name": "loss", "label": "Loss", "scale": 1, "higher_is_better": False}
BENCHMARK = {"label": "Logic", "summary": "Puzzles.", "tasks": ["aiw", "syllogism"], "metrics": [SCORE, LOSS]}
METHODS = {"base": {"label": "Untuned model"}, "less": {"label": "LESS"}, "random": {"label": "Random"}}
MODELS = {"tiny": {"label": "Tiny"}, "big": {"label": "Big"}}
POOLS = {"p": {"rows": 100, "tasks": {"aiw": 10, "syllogism": 20, "gcd": 70}}}

finite = st.floats(-1e6, 1e6)


def cell(method="less", seed=0, acc=0.5, loss=2.0, stderr=0.1, tasks=None, **other):
    tasks = {"aiw": 1, "gcd": 3} if tasks is None else tasks
    untuned = method == "base"
    return {
        "model": "tiny",
        "pool": ANY if untuned else "p",
        "target": "logic",
        "method": method,
        "ratio": "0" if untuned else "0.1",
        "seed": str(seed),
        "evaluation": {
            "benchmark": "logic",
            "samples": 64,
            "metrics": {"acc": {"value": acc, "stderr": stderr}, "loss": {"value": loss, "stderr": stderr}},
        },
        "selection": None if untuned else {"selected": sum(tasks.values()), "tasks": tasks},
        **other,
    }


def build(cells, benchmark=BENCHMARK):
    return table.build(cells, benchmark, METHODS, MODELS, POOLS)


def markdown_cells(markdown):
    """The table's lines below the heading, as lists of cells in the order of its columns."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[text.strip() for text in line.strip("|").split("|")] for line in lines[2:]]


def bold(markdown):
    """The methods with a bold cell."""
    return [cells[2] for cells in markdown_cells(markdown) if any(text.startswith("**") for text in cells)]


@given(st.lists(finite, min_size=2, max_size=5))
def test_seeds_are_averaged(values):
    [row] = build([cell(seed=seed, loss=value) for seed, value in enumerate(values)])
    assert row["seeds"] == len(values)
    assert row["loss"] == pytest.approx(sum(values) / len(values), abs=1e-6)
    assert row["loss_sd"] == pytest.approx(statistics.stdev(values), abs=1e-6)
    assert row["loss_stderr"] == pytest.approx(0.1)


def test_one_seed_has_no_standard_deviation():
    [row] = build([cell(loss=2.0, stderr=0.25)])
    assert (row["seeds"], row["loss"], row["loss_stderr"], row["loss_sd"]) == (1, 2.0, 0.25, None)


def test_one_seed_shows_the_standard_error_and_several_the_standard_deviation():
    one = table.to_markdown(build([cell(loss=2.0, stderr=0.25)]), BENCHMARK)
    two = table.to_markdown(build([cell(loss=2.0), cell(seed=1, loss=4.0)]), BENCHMARK)
    assert "**2.00** ± 0.25 |" in one
    assert "**3.0** ± 1.4 (2 seeds)" in two
    assert "standard error over the 64 evaluation rows" in one
    assert "deviation" not in one
    assert "deviation over seeds" in two


@given(finite, finite, st.floats(-100, 100).filter(bool))
def test_scale_multiplies_value_and_spread(first, second, scale):
    cells = [cell(loss=first), cell(seed=1, loss=second)]
    [plain] = build(cells)
    [scaled] = build(cells, {**BENCHMARK, "metrics": [{**LOSS, "scale": scale}]})
    assert scaled["loss"] == pytest.approx(scale * plain["loss"])
    assert scaled["loss_sd"] == pytest.approx(abs(scale) * plain["loss_sd"])
    assert scaled["loss_stderr"] == pytest.approx(abs(scale) * plain["loss_stderr"])


def test_scale_applies_to_the_markdown_too():
    markdown = table.to_markdown(build([cell(acc=0.125, stderr=0.0125)]), BENCHMARK)
    assert "**12.5** ± 1.2" in markdown


@given(st.dictionaries(st.sampled_from(["aiw", "syllogism", "gcd", "lcm"]), st.integers(0, 1000)))
def test_family_is_the_sum_over_the_benchmarks_tasks(tasks):
    [row] = build([cell(tasks=tasks)])
    family = tasks.get("aiw", 0) + tasks.get("syllogism", 0)
    total = sum(tasks.values())
    assert (row["rows_chosen"], row["family_rows_chosen"]) == (total, family)
    assert row["family_share"] == (family / total if total else None)
    assert (row["family_rows_in_pool"], row["pool_rows"]) == (30, 100)


def test_chosen_rows_are_averaged_over_seeds():
    [row] = build([cell(tasks={"aiw": 1, "gcd": 3}), cell(seed=1, tasks={"syllogism": 2, "gcd": 3})])
    assert (row["rows_chosen"], row["family_rows_chosen"]) == (4.5, 1.5)
    assert row["family_share"] == pytest.approx(1 / 3)
    assert markdown_cells(table.to_markdown([row], BENCHMARK))[0][-4:] == ["4.5", "1.5", "33.3%", "30"]


def test_untuned_model_has_no_chosen_rows():
    rows = build([cell("base"), cell()])
    assert [rows[0][key] for key in list(rows[0])[-5:]] == [None] * 5
    untuned, _ = csv.DictReader(io.StringIO(table.to_csv(rows)))
    assert (untuned["pool"], untuned["rows_chosen"], untuned["family_share"]) == ("", "", "")
    assert markdown_cells(table.to_markdown(rows, BENCHMARK))[0][-4:] == ["–"] * 4


def test_untuned_model_that_is_listed_for_every_pool_is_one_result():
    [row] = build([cell("base"), cell("base")])
    assert (row["seeds"], row["loss_sd"]) == (1, None)


def test_rows_keep_the_order_of_the_cells():
    cells = [cell("random"), cell("base"), cell(), cell(ratio="0.05"), cell("random", seed=1), cell(model="big")]
    assert [(row["model"], row["method"], row["ratio"]) for row in build(cells)] == [
        ("Tiny", "Random", "0.1"),
        ("Tiny", "Untuned model", "0"),
        ("Tiny", "LESS", "0.1"),
        ("Tiny", "LESS", "0.05"),
        ("Big", "LESS", "0.1"),
    ]


@given(st.lists(finite, min_size=1, max_size=3))
def test_csv_parses_back_to_the_same_rows(values):
    rows = build([cell("base"), *(cell(seed=seed, loss=value) for seed, value in enumerate(values))])
    parsed = list(csv.DictReader(io.StringIO(table.to_csv(rows))))
    assert len(parsed) == len(rows)
    for text, row in zip(parsed, rows, strict=True):
        assert list(text) == list(row)
        for key, value in row.items():
            assert text[key] == ("" if value is None else str(value))
            if isinstance(value, float):
                assert float(text[key]) == value


@pytest.mark.parametrize(("metric", "best"), [(SCORE, "LESS"), (LOSS, "Random")])
def test_bold_marks_the_best(metric, best):
    rows = build([cell("base", acc=0.2, loss=3), cell("random", acc=0.1, loss=1), cell(acc=0.9, loss=2)])
    assert bold(table.to_markdown(rows, {**BENCHMARK, "metrics": [metric]})) == [best]


def test_bold_is_shared_by_values_that_look_the_same():
    rows = build([cell(loss=1.0001), cell("random", loss=1.0002)])
    assert bold(table.to_markdown(rows, {**BENCHMARK, "metrics": [LOSS]})) == ["LESS", "Random"]


@pytest.mark.parametrize("methods", [["less", "random"], ["random", "less"]])
def test_a_diverged_model_is_not_the_best(methods):
    losses = {"less": math.nan, "random": 2.0}
    rows = build([cell(method, loss=losses[method]) for method in methods])
    assert bold(table.to_markdown(rows, {**BENCHMARK, "metrics": [LOSS]})) == ["Random"]


def test_a_diverged_seed_shows_in_the_mean():
    [row] = build([cell(loss=1.0), cell(seed=1, loss=math.nan)])
    assert math.isnan(row["loss"])
    assert math.isnan(row["loss_sd"])
    assert "| nan ± nan (2 seeds) |" in table.to_markdown([row], BENCHMARK)


def test_an_evaluation_without_a_standard_error_shows_the_value_alone():
    [row] = build([cell(loss=2.0, stderr=None)])
    assert row["loss_stderr"] is None
    assert markdown_cells(table.to_markdown([row], BENCHMARK))[0][5] == "**2.000**"


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
@example("&lt;_*`~a|b~`*_\\|[c](d)<e>")
def test_a_label_reads_as_itself_and_keeps_the_table_whole(label):
    rows = table.build([cell()], BENCHMARK, {"less": {"label": label}}, MODELS, POOLS)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(table.to_markdown(rows, BENCHMARK))
    body = [token for token in tokens if token.type == "inline" and token.level == 4]
    assert len(body) == 2 * 10
    assert "".join(child.content for child in body[12].children) == label


def test_a_missing_metric_is_named_with_its_benchmark():
    broken = cell()
    del broken["evaluation"]["metrics"]["loss"]
    with pytest.raises(InputError, match=r"'logic'.*'loss'.*'less'.*metrics there: acc"):
        build([cell("base"), broken])


def test_evaluations_of_different_sizes_are_refused():
    short = cell("random")
    short["evaluation"]["samples"] = 60
    with pytest.raises(InputError, match="Logic are of 60 and 64 rows"):
        build([cell(), short])
