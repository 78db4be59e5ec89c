"""The report has everything, shows it as text, and loads nothing."""

import base64
import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import yaml
from support.table_cells import cell, collect, spec

from instruction_selection.tables import drawings, report
from instruction_selection.tables import render as tables
from instruction_selection.tables.chosen import Drawing, ShownExample, ShownSelection, WalkCounts
from instruction_selection.tables.findings import Finding
from instruction_selection.tables.report import Report, ShownTable
from instruction_selection.tables.stages import Stage

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
TABLE = "## Logic\n\nPuzzles.\n\n| Method | Accuracy |\n| ------ | -------: |\n| LESS | **1.0** ± 0.1 |\n\nA note.\n"
SELECTION = ShownSelection(
    label="G2IS (logic)",
    chosen="3 of 9 rows",
    tasks="aiw 3",
    examples=[ShownExample("aiw", "How many?", "Seven.")],
    counts=[WalkCounts(3, 1, 2, 0)],
    drawings=[Drawing("Lengths", SVG)],
    page="runs/g2is/selection.html",
)
SHOWN = ShownTable(
    name="logic",
    label="Logic",
    findings=[Finding("Accuracy", ["Best score, 1.0: LESS."]), Finding("Loss", ["Every model has diverged."])],
    differences=[Drawing("Accuracy", SVG)],
    behind_scores=[],
    markdown=TABLE,
    figure=SVG,
)
REPORT = Report(
    experiment="demo",
    summary="All of it.",
    settings={"seeds": [0]},
    tables=[SHOWN],
    selections=[SELECTION],
    tasks={"logic": [Drawing("p, 0.1", SVG)]},
    overlaps={"logic": [Drawing("p, 0.1", SVG)]},
    warmups=[],
    stages=[Stage("finetune", 2, minutes=1.5, longest_minutes=1.0, memory_mb=None, gpu_hours=0.5, cpu_hours=0)],
    versions={"torch": "2.9.0"},
    git_commit="0123abc",
)
NASTY = "<script>alert('x')</script> & \"<img src=http://example.org/x.png>"


PLACES = ("experiment", "summary", "git_commit", "versions", "settings", "tables", "selections", "overlaps", "tasks")


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of style sheets."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def render(**changes):
    return report.render(replace(REPORT, **changes))


def test_report__has_everything():
    html = render()
    text = Page(html).text
    for part in (
        "demo",
        "All of it.",
        "Logic",
        "Puzzles.",
        "A note.",
        "G2IS (logic)",
        "Seven.",
        "finetune",
        "torch",
        "2.9.0",
        "0123abc",
    ):
        assert part in text
    assert "<strong>1.0</strong> ± 0.1</td>" in html


def test_report__has_intervals_and_notes_of_a_table():
    """As `render` writes them, and with nothing left of the Markdown."""
    right = {name: {str(place): float(place > 0) for place in range(20)} for name in ("acc", "loss")}
    wrong = {name: dict.fromkeys(map(str, range(20)), 0.0) for name in right}
    cells = [cell("random", acc=0.0, values=wrong), cell("full", acc=0.95, values=right)]
    cells += [cell("less", seed, acc=0.95, values=right) for seed in range(2)]
    markdown = tables.to_markdown(collect(cells, baseline="random"), spec())
    text = Page(render(tables=[replace(SHOWN, markdown=markdown)])).text
    assert "0 (0 to 16)" in text
    assert re.search(r"\+95 \(\+85 to \+100\)†", text)
    assert "because one side of the comparison (Random, All data) has one seed." in text
    assert "\\" not in text


def test_report__begins_with_what_was_found():
    """Before the first table; the findings of other metrics are folded."""
    html = render()
    found, table = html.index("Best score, 1.0: LESS."), html.index("<table>")
    assert html.index("What was found") < found < html.index("Every model has diverged.") < table
    assert html.index("<details>") > found
    assert html.index('alt="Differences, Logic') < table


def test_report__headers_of_tables_have_a_scope():
    page = Page(render())
    assert {attributes.get("scope") for attributes in page.all("th")} == {"col", "row"}
    lines = [tag for tag, _ in page.tags if tag in ("tr", "td", "th")]
    assert all(second == "th" for first, second in itertools.pairwise(lines) if first == "tr")


def test_report__every_target_has_a_table_and_a_figure_with_alternative_text():
    page = Page(render(tables=[replace(SHOWN, name=name) for name in ("logic", "gsm")]))
    images = page.all("img")
    assert [alt.split(":")[0] for image in images if (alt := image["alt"]).endswith("numbers.")] == ["logic", "gsm"]
    # Per table its figure and its differences; the tasks, the overlap, and the selection's own.
    assert len(images) == 2 * 2 + 3
    for image in images:
        kind, content = image["src"].split(",")
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(content).decode() == SVG
    scrolled = [attributes for attributes in page.all("div") if attributes["class"].startswith("scroll")]
    # All tables, the figures of two, and the heat tables of tasks and of the overlap.
    assert len(scrolled) == len(page.all("table")) + 2 + 2 == 2 + 3 + 4
    assert all(attributes["aria-label"] and attributes["tabindex"] == "0" for attributes in scrolled)


@pytest.mark.parametrize("place", PLACES)
def test_report__escapes_what_is_given_and_loads_nothing(place):
    given = {
        "versions": {NASTY: NASTY},
        "settings": {"label": NASTY},
        "selections": [replace(SELECTION, examples=[ShownExample(NASTY, NASTY, NASTY)])],
        "overlaps": {NASTY: [Drawing(NASTY, SVG)]},
        "tasks": {NASTY: [Drawing(NASTY, SVG)]},
        "tables": [
            replace(
                SHOWN,
                label=NASTY,
                findings=[Finding(NASTY, [NASTY])],
                differences=[Drawing(NASTY, SVG)],
                markdown=f"## {NASTY}\n\n![x](http://example.org/x.png) [x](http://example.org) {NASTY}\n",
            )
        ],
    }.get(place, NASTY)
    html = render(**{place: given})
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base"}
    assert "alert('x')" in page.text
    links = [attributes for tag, attributes in page.tags if tag == "a"]
    # None but that to a selection's page.
    assert links == [{"href": SELECTION.page}]
    loads = [value for _, attributes in page.tags for name, value in attributes.items() if name == "src"]
    assert all(value.startswith("data:") for value in loads)
    assert sum("href" in attributes for _, attributes in page.tags) == len(links)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    [style] = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


def test_report__settings_are_yaml_that_reads_back():
    shared = {"rate": 1.0e-4}
    settings = {"name": "demo", "warmup": shared, "finetune": shared, "text": "a: b # <c> é", "none": None}
    [block] = re.findall(r"<summary>All settings.*<pre>(.*)</pre>", render(settings=settings), flags=re.DOTALL)
    text = Page(f"<pre>{block}</pre>").text
    assert yaml.safe_load(text) == settings
    assert "&id" not in text


def test_report__same_input_gives_the_same_page():
    assert render() == render()


@pytest.fixture
def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return [name, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000"]
    pytest.skip("there is no Chromium here")


def test_report__is_shown_by_a_browser_without_an_error(tmp_path, browser):
    """Every image of it is drawn, tables stand in the document, and the console stays empty."""
    drawing = drawings.walk([0.5, 0.7])
    page = tmp_path / "report.html"
    page.write_text(render(selections=[replace(SELECTION, drawings=[Drawing("Walk", drawing)])]), encoding="utf-8")
    # The copy may run a script that measures the images.
    measured = re.sub("<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    script = "document.title = [...document.images].map(image => image.complete && image.naturalWidth > 0).join()"
    copy = tmp_path / "measured.html"
    copy.write_text(measured.replace("</body>", f"<script>onload = () => {{{script}}}</script></body>"))
    titles = []
    for path in (page, copy):
        command = [*browser, "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
        result = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, check=False, timeout=120)
        assert result.returncode == 0, result.stderr
        assert "CONSOLE" not in result.stderr
        assert result.stdout.count("<table>") == 4
        titles.append(re.search("<title>(.*)</title>", result.stdout)[1])
    assert titles[0] == "demo: instruction selection"
    assert set(titles[1].split(",")) == {"true"}
