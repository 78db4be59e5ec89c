import base64
import re
from html.parser import HTMLParser

import pytest
import yaml

from instruction_selection.tables import report

SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'
TABLE = "## Logic\n\nPuzzles.\n\n| Method | Accuracy |\n| ------ | -------: |\n| LESS | **1.0** ± 0.1 |\n\nA note.\n"
NASTY = "<script>alert('x')</script> & \"<img src=http://example.org/x.png>"


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
            "versions": {"torch": "2.9.0"},
            "git_commit": "0123abc",
        }
        return report.render(**arguments | changes)

    return render


def test_it_has_everything(render):
    html = render()
    text = Page(html).text
    for part in ("demo", "All of it.", "Logic", "Puzzles.", "A note.", "torch", "2.9.0", "0123abc"):
        assert part in text
    assert "<strong>1.0</strong> ± 0.1</td>" in html


def test_every_target_has_a_table_and_a_figure_with_alternative_text(render):
    page = Page(render(tables={"logic": TABLE, "gsm": TABLE}))
    images = page.all("img")
    assert [image["alt"].split(":")[0] for image in images] == ["logic", "gsm"]
    for image in images:
        kind, content = image["src"].split(",")
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(content).decode() == SVG
    assert len(page.all("section")) == 2
    assert len(page.all("div")) == len(page.all("table")) - 1 == 2


@pytest.mark.parametrize("place", ["experiment_name", "summary", "git_commit", "versions", "settings", "tables"])
def test_what_is_given_is_escaped_and_loads_nothing(render, place):
    given = {
        "versions": {NASTY: NASTY},
        "settings": {"label": NASTY},
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
    [block] = re.findall(r"<details>.*<pre>(.*)</pre>", render(settings=settings), flags=re.DOTALL)
    text = Page(f"<pre>{block}</pre>").text
    assert yaml.safe_load(text) == settings
    assert "&id" not in text


def test_the_same_input_gives_the_same_page(render):
    assert render() == render()
