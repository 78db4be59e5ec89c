import base64
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
import yaml
from support.table_cells import BENCHMARK, METHODS, PLAN, cell, collect

from instruction_selection.tables import drawings, report
from instruction_selection.tables import render as tables

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
TABLE = "## Logic\n\nPuzzles.\n\n| Method | Accuracy |\n| ------ | -------: |\n| LESS | **1.0** ± 0.1 |\n\nA note.\n"
SELECTION = {
    "label": "G2IS (logic)",
    "chosen": "3 of 9 rows",
    "tasks": "aiw 3",
    "rows": [{"task": "aiw", "instruction": "How many?", "response": "Seven."}],
    "counts": [[3, 1, 2, 0]],
    "drawings": [("Lengths", SVG)],
}
STAGE = {
    **{"rule": "finetune", "jobs": 2, "minutes": 1.5, "longest": 1.0},
    **{"memory_mb": None, "gpu_hours": 0.5, "cpu_hours": 0},
}
NASTY = "<script>alert('x')</script> & \"<img src=http://example.org/x.png>"


PLACES = ("experiment_name", "summary", "git_commit", "versions", "settings", "tables", "selections", "overlaps")


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


@pytest.fixture
def render(tmp_path):
    def render(**changes):
        svg = tmp_path / "figure.svg"
        svg.write_text(SVG, encoding="utf-8")
        tables = changes.pop("tables", {"logic": TABLE})
        arguments = {
            "experiment_name": "demo",
            "summary": "All of it.",
            "settings": {"seeds": [0]},
            "tables": tables,
            "figures": dict.fromkeys(tables, svg),
            "selections": [SELECTION],
            "overlaps": {"logic": [("p, 0.1", SVG)]},
            "stages": [STAGE],
            "versions": {"torch": "2.9.0"},
            "git_commit": "0123abc",
        }
        return report.render(**arguments | changes)

    return render


def test_it_has_everything(render):
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


def test_intervals_and_notes_of_a_table_are_in_the_page(render):
    """As `render` writes them, and with nothing left of the Markdown."""
    right = {name: {str(place): float(place > 0) for place in range(20)} for name in ("acc", "loss")}
    wrong = {name: dict.fromkeys(map(str, range(20)), 0.0) for name in right}
    cells = [cell("random", acc=0.0, values=wrong), cell("full", acc=0.95, values=right)]
    cells += [cell("less", seed, acc=0.95, values=right) for seed in range(2)]
    markdown = tables.to_markdown(collect(cells, baseline="random"), PLAN, {"logic": BENCHMARK}, METHODS)
    text = Page(render(tables={"logic": markdown})).text
    assert "0 (0 to 16)" in text
    assert re.search(r"\+95 \(\+85 to \+100\)†", text)
    assert "because one side of the comparison (Random, All data) has one seed." in text
    assert "\\" not in text


def test_every_target_has_a_table_and_a_figure_with_alternative_text(render):
    page = Page(render(tables={"logic": TABLE, "gsm": TABLE}))
    images = page.all("img")
    assert [image["alt"].split(":")[0] for image in images[:2]] == ["logic", "gsm"]
    assert len(images) == 4
    for image in images:
        kind, content = image["src"].split(",")
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(content).decode() == SVG
    assert len(page.all("section")) == 2 + 2
    # All but that of the versions can be scrolled.
    scrolled = [attributes for attributes in page.all("div") if attributes["class"] == "scroll"]
    assert len(scrolled) == len(page.all("table")) - 1 == 2 + 2


@pytest.mark.parametrize("place", PLACES)
def test_what_is_given_is_escaped_and_loads_nothing(render, place):
    given = {
        "versions": {NASTY: NASTY},
        "settings": {"label": NASTY},
        "selections": [{**SELECTION, "rows": [{"task": NASTY, "instruction": NASTY, "response": NASTY}]}],
        "overlaps": {NASTY: [(NASTY, SVG)]},
        "tables": {NASTY: f"## {NASTY}\n\n![x](http://example.org/x.png) [x](http://example.org) {NASTY}\n"},
    }.get(place, NASTY)
    html = render(**{place: given})
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "a", "base"}
    assert "alert('x')" in page.text
    loads = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert all(value.startswith("data:") for value in loads)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    [style] = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


def test_settings_are_yaml_that_reads_back(render):
    shared = {"rate": 1.0e-4}
    settings = {"name": "demo", "warmup": shared, "finetune": shared, "text": "a: b # <c> é", "none": None}
    [block] = re.findall(r"<summary>All settings.*<pre>(.*)</pre>", render(settings=settings), flags=re.DOTALL)
    text = Page(f"<pre>{block}</pre>").text
    assert yaml.safe_load(text) == settings
    assert "&id" not in text


def test_the_same_input_gives_the_same_page(render):
    assert render() == render()


@pytest.fixture
def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return [name, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000"]
    pytest.skip("there is no Chromium here")


def test_a_browser_shows_it_without_an_error(render, tmp_path, browser):
    """Every image of it is drawn, tables stand in the document, and the console stays empty."""
    drawing = drawings.walk([0.5, 0.7])
    page = tmp_path / "report.html"
    page.write_text(render(selections=[{**SELECTION, "drawings": [("Walk", drawing)]}]), encoding="utf-8")
    # What is measured is told by a copy of the page that may run a script.
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
