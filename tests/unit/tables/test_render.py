"""What people read: the numbers of the rows, rounded, with marks and the notes that explain them."""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.table_cells import BENCHMARK, LOSS, METHODS, POOLS, SCORE, cell, collect, spec

from instruction_selection.experiment.published import AVERAGE
from instruction_selection.tables import render, results

#: Nineteen of twenty rows are better than those of `WORSE`.
BETTER = {name: {str(place): float(place > 0) for place in range(20)} for name in ("acc", "loss")}
WORSE = {name: {str(place): 0.0 for place in range(20)} for name in ("acc", "loss")}


def markdown(rows, benchmark=BENCHMARK, **plan):
    benchmarks = {row.benchmark: benchmark for row in rows if row.benchmark != AVERAGE}
    return render.to_markdown(rows, spec(benchmarks, **plan))


def shown(text):
    """The table's lines, heading first, as lists of cells in the order of its columns."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


def only(metric):
    return replace(BENCHMARK, metrics=(metric,))


def bold(text):
    """The methods with a bold cell."""
    return [cells[2] for cells in shown(text)[1:] if any(text.startswith("**") for text in cells)]


def test_score__shows_rows_as_an_error_and_seeds_as_a_deviation():
    one = markdown(collect([cell(loss=2.0, stderr=0.25)]))
    two = markdown(collect([cell(loss=2.0), cell(seed=1, loss=4.0)]))
    assert "**2.00** ± 0.25 |" in one
    assert "**3.00** ± 0.10, SD 1.41 (2 seeds)" in two
    assert "standard error over the 64 evaluation rows" in one
    assert "SD" not in one
    assert "SD is the sample standard deviation" in two


@pytest.mark.parametrize(
    ("right", "expected"), [(0, "**0** (0 to 16)"), (20, "**100** (84 to 100)"), (1, "**5** (1 to 24)")]
)
def test_score__share_has_an_interval_that_is_not_empty_at_its_ends(right, expected):
    share = {str(place): float(place < right) for place in range(20)}
    text = markdown(collect([cell(acc=right / 20, values={"acc": share, "loss": share})]), only(SCORE))
    assert f" {expected} |" in text
    assert "±" not in text
    assert "95 % interval (Wilson) over the 64 evaluation rows" in text


def test_score__is_scaled():
    assert "**12.5** ± 1.2" in markdown(collect([cell(acc=0.125, stderr=0.0125)]))


def test_target_table__shows_what_was_chosen():
    cells = [cell("base"), cell(tasks={"aiw": 1, "gcd": 3}), cell(seed=1, tasks={"syllogism": 2, "gcd": 3})]
    _, untuned, tuned = shown(markdown(collect(cells)))
    assert untuned[-4:] == ["–"] * 4
    assert tuned[-4:] == ["4.5", "1.5", "33.3%", "30"]


@pytest.mark.parametrize(("metric", "best"), [(SCORE, "LESS"), (LOSS, "Random")])
def test_bold__marks_the_best(metric, best):
    rows = collect([cell("base", acc=0.2, loss=3), cell("random", acc=0.1, loss=1), cell(acc=0.9, loss=2)])
    assert bold(markdown(rows, only(metric))) == [best]


def test_bold__is_shared_by_values_that_look_the_same():
    rows = collect([cell(loss=1.0001), cell("random", loss=1.0002)])
    assert bold(markdown(rows, only(LOSS))) == ["LESS", "Random"]


@pytest.mark.parametrize("methods", [["less", "random"], ["random", "less"]])
def test_bold__never_marks_a_diverged_model(methods):
    losses = {"less": math.nan, "random": 2.0}
    rows = collect([cell(method, loss=losses[method]) for method in methods])
    assert bold(markdown(rows, only(LOSS))) == ["Random"]


def test_score__shows_a_diverged_seed():
    rows = collect([cell(loss=1.0), cell(seed=1, loss=math.nan)])
    assert "| nan ± 0.10, SD nan (2 seeds) |" in markdown(rows)


def test_score__without_a_standard_error_is_the_value_alone():
    rows = collect([cell(loss=2.0, stderr=None)])
    assert shown(markdown(rows))[1][5] == "**2.000**"


def test_mark__is_on_significant_differences_and_explained_below():
    cells = [cell("random", values=WORSE), cell("less", values=BETTER), cell("base", values=WORSE)]
    text = markdown(collect(cells, baseline="random"))
    heading, baseline, better, same = shown(text)
    assert heading.count("Against Random") == 2
    place = heading.index("Against Random")
    assert baseline[place] == "–"
    assert better[place].startswith("+95 (+85 to +100)")
    assert better[place].endswith("†")
    assert same[place] == "+0 (+0 to +0)"
    assert "the 4 comparisons that this table shows" in text
    assert "McNemar" in text


#: Rows of a method of two seeds that differ a little, and of one that is worse.
SEEDED = [
    *(cell("random", seed, values={**WORSE, "acc": {**WORSE["acc"], str(seed): 1.0}}) for seed in range(3)),
    *(cell("less", seed, values={**BETTER, "acc": {**BETTER["acc"], str(seed): 0.0}}) for seed in (1, 2)),
]


def notes(text):
    """The paragraphs below the table."""
    return [line for line in text.splitlines() if line and not line.startswith(("|", "#"))][1:]


def test_mark__of_rows_and_seeds_differs_from_that_of_rows_alone():
    text = markdown(collect([*SEEDED, cell("full", values=BETTER)], baseline="random"), only(SCORE))
    heading, random, less, full = shown(text)
    place = heading.index("Against Random")
    assert heading[place + 1] == "Welch's p"
    assert less[place].endswith("\\*")
    assert full[place].endswith("†")
    assert float(less[place + 1]) < 0.01
    assert random[place + 1] == full[place + 1] == "–"
    both, alone = notes(text)[2:]
    assert both.startswith("\\* is tested over evaluation rows and over the seeds")
    assert alone.startswith("† is tested over evaluation rows alone")
    assert "(All data) has one seed" in alone


def test_notes__of_one_seed_name_what_the_test_does_not_account_for():
    for write in (markdown, lambda rows: render.to_tex(rows, spec())):
        text = write(collect([cell("random", values=WORSE), cell("less", values=BETTER)], baseline="random"))
        assert "because every fine-tuned model has one seed. The test does not account for how much" in text
        assert "the seeds of both sides" not in text
        assert "Welch" not in text


def test_notes__explain_only_the_marks_that_are_there():
    seeded = markdown(collect(SEEDED, baseline="random"), only(SCORE))
    assert "rows alone" not in seeded
    assert "†" not in seeded
    text = markdown(collect([cell("base", values=WORSE), *SEEDED], baseline="random"), only(SCORE))
    assert "The untuned model is not trained" in text
    assert "rows alone" not in text


def test_notes__name_the_checkpoints_read_and_published():
    for count, expected in ((1, "1 warm-up checkpoint (published: 4)"), (4, "4 warm-up checkpoints (published: 4)")):
        text = markdown(collect([cell(checkpoints=count), cell("random", checkpoints=count)]))
        assert notes(text)[-1] == f"LESS reads {expected}."
    assert "checkpoint" not in markdown(collect([cell()]))


def test_notes__without_a_baseline_compare_nothing():
    text = markdown(collect([cell(), cell("random")]))
    assert "Against" not in text
    assert "Holm" not in text


def benchmarks_table(**plan):
    cells = [
        cell(method, model=model, benchmark=benchmark, acc=acc, stderr=0.01)
        for model in ("tiny", "big")
        for method, acc in (("less", 0.6), ("random", 0.5))
        for benchmark in ("logic", "maths")
    ]
    numbers = {("tiny", "p", "maths", "maths", "less", "0.1"): 61.25}
    plan = {"kind": "benchmarks", **plan}
    return shown(markdown(collect(cells, published=numbers, **plan), **plan))


def test_benchmarks_table__has_columns_for_what_was_published():
    heading, *lines = benchmarks_table()
    assert heading[:4] == ["Model", "Pool", "Method", "Ratio"]
    assert len(heading) == 4 + 1 + 3
    assert heading[-2:] == ["Published", "Difference"]
    assert [line[-2:] for line in lines] == [["61.25", "-1.2"], ["–", "–"], ["–", "–"], ["–", "–"]]
    # The best of each model, and not only of the column.
    assert [line[4] for line in lines] == ["**60.0** ± 1.0", "50.0 ± 1.0"] * 2


@pytest.mark.parametrize(("untuned", "best"), [(0.3, ["LESS", "LESS"]), (0.55, ["LESS"]), (0.7, ["Untuned model"])])
def test_bold__untuned_model_is_the_best_only_if_it_is_that_of_every_pool(untuned, best):
    cells = [cell("base", acc=untuned), cell(acc=0.6), cell(pool="q", acc=0.5), cell("random", pool="q", acc=0.4)]
    assert bold(markdown(collect(cells, kind="benchmarks"), kind="benchmarks")) == best


def test_benchmarks_table__relative_average_is_the_last_column():
    heading, *lines = benchmarks_table(relative_to="less")
    assert heading[-1].startswith("Relative average")
    assert [line[-1] for line in lines] == ["**1.000**", "0.833"] * 2


def test_benchmarks_table__names_the_target_where_a_benchmark_has_two():
    cells = [cell(target=target) for target in ("logic", "logic+maths")]
    heading, _ = shown(markdown(collect(cells, kind="benchmarks"), kind="benchmarks"))
    assert [name.split(")")[0] for name in heading[4:]] == ["Logic (for logic", "Logic (for logic+maths"]


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
@example("&lt;_*`~a|b~`*_\\|[c](d)<e>")
@example("__0__")
def test_markdown__label_reads_as_itself_and_keeps_the_table_whole(label):
    entries = {**METHODS, "less": replace(METHODS["less"], label=label)}
    rows = results.collect([cell()], spec(entries=entries), POOLS, {})
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown(rows))
    body = [token for token in tokens if token.type == "inline" and token.level == 4]
    assert len(body) == 2 * 10
    assert "".join(child.content for child in body[12].children) == label


def test_latex__has_the_same_cells_and_escapes_them():
    described = spec(entries={**METHODS, "less": replace(METHODS["less"], label="50 % & $x_1$ \\y")})
    rows = results.collect([cell(acc=0.5)], described, POOLS, {})
    text = render.to_tex(rows, described)
    [line] = [line for line in text.splitlines() if line.startswith("Tiny")]
    assert r"50 \% \& \$x\_1\$ \textbackslash{}y" in line
    assert r"\textbf{50} $\pm$ 10" in line
    assert line.count(" & ") == len(shown(markdown(rows))[0]) - 1
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
