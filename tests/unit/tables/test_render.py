"""What people read: the numbers of the rows, rounded, with marks and the notes that explain them."""

import math
import re
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


def shown(text, part=0):
    """The lines of a part, heading first, as lists of cells in the order of its columns."""
    lines = [line for line in text.split("\n### ")[1:][part].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


def only(metric):
    return replace(BENCHMARK, metrics=(metric,))


def bold(text):
    """The methods with a bold cell."""
    heading, *lines = shown(text)
    return [cells[heading.index("Method")] for cells in lines if any(text.startswith("**") for text in cells)]


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
    _, untuned, tuned = shown(markdown(collect(cells)), part=-1)
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
    assert shown(markdown(rows), part=1)[1][2] == "**2.000**"


def test_mark__is_on_significant_differences_and_explained_below():
    cells = [cell("random", values=WORSE), cell("less", values=BETTER), cell("base", values=WORSE)]
    text = markdown(collect(cells, baseline="random"))
    heading, baseline, better, same = shown(text)
    assert heading.count("Against Random") == shown(text, part=1)[0].count("Against Random") == 1
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
    for write in (markdown, lambda rows: render.to_tex(rows, spec(), "logic")):
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
    return markdown(collect(cells, published=numbers, **plan), **plan)


def test_benchmarks_table__has_a_part_for_what_was_published():
    heading, *lines = shown(benchmarks_table())
    assert heading[:3] == ["Model", "Method", "Ratio"]
    assert len(heading) == 3 + 2
    # The best of each model, and not only of the column.
    assert [line[4] for line in lines] == ["**60.0** ± 1.0", "50.0 ± 1.0"] * 2
    heading, *lines = shown(benchmarks_table(), part=1)
    assert heading[3:] == ["Published", "Difference"]
    assert [line[3:] for line in lines] == [["61.25", "-1.2"], ["–", "–"], ["–", "–"], ["–", "–"]]


@pytest.mark.parametrize(("untuned", "best"), [(0.3, ["LESS", "LESS"]), (0.55, ["LESS"]), (0.7, ["Untuned model"])])
def test_bold__untuned_model_is_the_best_only_if_it_is_that_of_every_pool(untuned, best):
    cells = [cell("base", acc=untuned), cell(acc=0.6), cell(pool="q", acc=0.5), cell("random", pool="q", acc=0.4)]
    assert bold(markdown(collect(cells, kind="benchmarks"), kind="benchmarks")) == best


def test_benchmarks_table__relative_average_is_the_last_column():
    heading, *lines = shown(benchmarks_table(relative_to="less"))
    assert heading[-1].startswith("Relative average")
    assert [line[-1] for line in lines] == ["**1.000**", "0.833"] * 2


def test_benchmarks_table__names_the_target_where_a_benchmark_has_two():
    cells = [cell(target=target) for target in ("logic", "logic+maths")]
    heading, _ = shown(markdown(collect(cells, kind="benchmarks"), kind="benchmarks"))
    assert [name.split(")")[0] for name in heading[2:]] == ["Logic (for logic", "Logic (for logic+maths"]


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
@example("&lt;_*`~a|b~`*_\\|[c](d)<e>")
@example("__0__")
def test_markdown__label_reads_as_itself_and_keeps_the_table_whole(label):
    entries = {**METHODS, "less": replace(METHODS["less"], label=label)}
    rows = results.collect([cell()], spec(entries=entries), POOLS, {})
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown(rows))
    body = [token for token in tokens if token.type == "inline" and token.level == 4]
    # Three tables: two metrics and the selection, of which the first has three columns.
    assert len(body) == 2 * (3 + 3 + 6)
    assert "".join(child.content for child in body[3].children) == label


def test_latex__has_the_same_cells_and_escapes_them():
    described = spec(entries={**METHODS, "less": replace(METHODS["less"], label="50 % & $x_1$ \\y")})
    rows = results.collect([cell(acc=0.5)], described, POOLS, {})
    text = render.to_tex(rows, described, "logic")
    line, *others = [line for line in text.splitlines() if line.startswith("50")]
    assert line.startswith(r"50 \% \& \$x\_1\$ \textbackslash{}y &")
    assert r"\textbf{50} $\pm$ 10" in line
    assert line.count(" & ") == len(shown(markdown(rows))[0]) - 1
    assert len(others) == 2
    assert {text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")} == {3}


def test_latex__every_float_is_centred_and_has_a_caption_and_a_label_of_its_own():
    text = render.to_tex(collect([cell(), cell("random")], baseline="random"), spec(), "my_table")
    floats = text.split(r"\begin{table}")[1:]
    labels = [re.search(r"\\label\{(.*?)\}", each)[1] for each in floats]
    assert labels == ["tab:my-table-acc", "tab:my-table-loss", "tab:my-table-selection"]
    for each in floats:
        assert each.index(r"\centering") < each.index(r"\caption{") < each.index(r"\label{") < each.index("{tabular}")
        assert each.count("{") == each.count("}")
        assert r"\resizebox{\ifdim\width>\linewidth" in each
    assert all(rf"\ref{{{labels[0]}}}" in each for each in floats[1:])


def test_latex__minus_is_one_and_a_hyphen_stays():
    described = spec(entries={**METHODS, "less": replace(METHODS["less"], label="GPT-4 -1")})
    text = render.to_tex(results.collect([cell(loss=-2.0)], described, POOLS, {}), described, "logic")
    assert "GPT-4 -1 &" in text
    assert r"\textbf{$-$2.00}" in text


def test_latex__table_longer_than_a_page_is_divided_by_model():
    cells = [
        cell(method, model=model, pool=pool, ratio=str(ratio))
        for model in ("tiny", "big")
        for pool in ("p", "q")
        for method in ("less", "random")
        for ratio in range(7)
    ]
    text = render.to_tex(collect(cells, kind="benchmarks"), spec(kind="benchmarks"), "t")
    parts = text.split(r"\begin{table}")[1:]
    assert [("Tiny &" in part, "Big &" in part) for part in parts] == [(True, False), (False, True)]


@given(st.lists(st.sampled_from([0.5, 0.5001, 0.62, 0.9]), min_size=4, max_size=4))
def test_bold__values_that_look_the_same_are_all_bold_or_none(scores):
    cells = [cell(name, acc=score) for name, score in zip(METHODS, scores, strict=True)]
    _, *lines = shown(markdown(collect(cells), only(SCORE)))
    looks = [line[2].split(" ")[0] for line in lines]
    strong = {look.strip("*") for look in looks if look.startswith("**")}
    assert len(strong) == 1
    assert not strong & set(looks)


def test_family__columns_only_where_the_pool_has_family_rows():
    without = [cell("base"), cell(tasks={"gcd": 3})]
    described = spec({"logic": replace(BENCHMARK, tasks=("elsewhere",))})
    text = render.to_markdown(results.collect(without, described, POOLS, {}), described)
    assert shown(text, part=-1)[0][2:] == ["Rows chosen"]
    assert "amily" not in text
    assert "Share in family" in markdown(collect(without))


def test_names__what_all_rows_share_is_said_once():
    text = markdown(collect([cell("base"), cell()]))
    assert shown(text)[0][:2] == ["Method", "Ratio"]
    assert "Puzzles. Model: Tiny. Pool: p." in text
    assert shown(markdown(collect([cell(), cell(model="big", pool="q")])))[0][:3] == ["Model", "Pool", "Method"]


def test_markdown__line_is_not_longer_than_a_window():
    benchmarks = {f"b{number}": replace(BENCHMARK, label=f"Benchmark {number}") for number in range(9)}
    rows = collect([cell(benchmark=name) for name in benchmarks], benchmarks, kind="benchmarks")
    lines = [
        line
        for line in render.to_markdown(rows, spec(benchmarks, kind="benchmarks")).splitlines()
        if line.startswith("|")
    ]
    assert max(map(len, lines)) <= render.WIDTH
    assert sum(line.count("Benchmark") for line in lines) == len(benchmarks)
