"""The page shows rows as text, loads nothing, and sorts and searches in a browser."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from support import browser

from instruction_selection.selection.page import content, render

CHOSEN = 12
NASTY = "</script><script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\"> & {{ 1 }}"
HEADING = render.Heading(
    method="LESS",
    about="Similar gradients.",
    pool="own",
    target="wanted",
    ratio="12",
    seed=0,
    others=[render.Link("Random", "../../random/12/seed0/selection.html")],
)
in_browser = pytest.mark.skipif(browser.PROGRAM is None, reason=browser.MISSING)


class Page(HTMLParser):
    """Tags and attributes."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


@pytest.fixture
def shown(select):
    """The content of a page whose first row of the pool has been replaced by nasty text."""
    return content.build(select("less", CHOSEN, {4: {"instruction": NASTY, "task": NASTY, "response": NASTY}}))


def test_page__says_what_was_chosen_of_what(shown):
    page = re.sub(r"<[^>]*>|\s+", " ", render.render(HEADING, shown))
    text = re.sub(r" +", " ", page)
    assert (
        "LESS chose 12 of 60 rows of the pool own for the target wanted (ratio 12, seed 0). Similar gradients." in text
    )
    assert "All chosen rows, and 48 rows of the 48 that were not chosen: those with the best scores." in text
    assert "1 row could not be chosen" in text
    assert "were asked for" not in text


def test_page__says_what_it_leaves_out(select, monkeypatch):
    selection = select("less", CHOSEN)
    for name, limit in {"CHOSEN": 5, "OTHERS": 4, "CHARACTERS": 90, "SAMPLED": 20}.items():
        monkeypatch.setattr(content, name, limit)
    text = " ".join(render.render(HEADING, content.build(selection)).split())
    assert "The first 5 of 12 chosen rows, and 4 rows of the 48 that were not chosen" in text
    assert "Texts are cut to" in text
    assert "A random sample of 20 rows of the pool" in text
    assert "Of the 5 chosen rows above" in text


def test_page__of_the_whole_pool_names_no_others(select):
    text = " ".join(render.render(HEADING, content.build(select("full", 60))).split())
    assert "<p>All chosen rows. <code>scores.parquet</code> has all rows." in text


def test_page__says_that_fewer_were_found(shown):
    text = render.render(HEADING, replace(shown, summary=shown.summary | {"budget": 20, "shortfall": 8}))
    assert "20 rows were asked for; the method found 8 fewer." in text


@pytest.mark.parametrize("key", ["method", "about", "pool", "target", "ratio"])
def test_page__escapes_its_heading(shown, key):
    html = render.render(replace(HEADING, **{key: NASTY}), shown)
    assert NASTY not in html
    assert html.count("<script") == 2


def test_page__loads_nothing_and_allows_only_its_own_script(shown):
    html = render.render(HEADING, shown)
    assert NASTY not in html
    page = Page()
    page.feed(html)
    assert not page.tags & {"link", "img", "iframe", "object", "embed", "base"}
    assert [value for name, value in page.attributes if name == "href"] == [HEADING.others[0].path]
    assert not [name for name, _ in page.attributes if name == "src" or name.startswith("on")]
    assert "default-src 'none'" in html
    # The only inline script that may run is the one with this hash.
    assert len(re.findall(r"script-src 'sha256-[\w+/]{43}='", html)) == 1


def test_page__has_its_rows_as_json(shown):
    data = re.search(r'id="data">(.*?)</script>', render.render(HEADING, shown), re.DOTALL)[1]
    assert json.loads(data)["rows"] == shown.rows


def test_page__same_content_gives_the_same_page(shown):
    assert render.render(HEADING, shown) == render.render(HEADING, shown)


USE = """
const cells = row => [...row.cells].map(cell => cell.textContent)
const rows = () => [...document.querySelectorAll("#rows tr.row")].map(cells)
const column = name => [...document.querySelectorAll("#rows th")].findIndex(cell => cell.textContent === name)
const press = name => document.querySelectorAll("#rows th button")[column(name)].click()
const type = (id, value) => {
  document.getElementById(id).value = value
  document.getElementById(id).dispatchEvent(new Event("input"))
}
const found = {columns: [...document.querySelectorAll("#rows th")].map(cell => cell.textContent), first: rows()}
document.getElementById("more").click()
found.all = rows()
press("Length")
found.longest = rows()
found.direction = document.querySelectorAll("#rows th")[column("Length")].getAttribute("aria-sort")
press("Length")
found.shortest = rows()
type("filter", "others")
found.others = rows()
type("filter", "all")
type("search", "  KIND question 7 ")
found.searched = rows()
type("search", "nowhere")
found.none = [rows(), document.getElementById("found").textContent]
type("search", "")
document.querySelector("#rows tr.row button").click()
found.opened = document.querySelector("#rows tr.detail").textContent
document.querySelector("#rows tr.row").click()
found.closed = document.querySelectorAll("#rows tr.detail").length
for (const row of document.querySelectorAll("#rows tr.row")) row.click()
document.querySelectorAll("details").forEach(part => part.open = true)
found.points = document.querySelectorAll("#map circle").length
document.querySelector("#map .kind1").dispatchEvent(new Event("pointerenter"))
found.pointed = document.getElementById("pointed").textContent
found.title = document.title
found.width = view.innerWidth
found.wide = document.documentElement.scrollWidth
found.details = Math.max(...[...document.querySelectorAll(".detail div")].map(box => box.clientWidth))
return found
"""


@in_browser
@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 400])
def test_page__sorts_and_searches_in_a_browser(shown, tmp_path, width):
    page = browser.measured(tmp_path, render.render(HEADING, shown), width, USE)
    assert page["columns"] == ["Step", "Text", "Task", "Score", "Rank", "Nearest", "Gradient norm", "Loss", "Length"]
    steps = [row[0] for row in page["all"]]
    assert steps == [*map(str, range(1, CHOSEN + 1)), *["–"] * (60 - CHOSEN)]
    assert page["first"] == page["all"][: len(page["first"])]
    for name, sign in (("longest", -1), ("shortest", 1)):
        lengths = [int(row[-1]) for row in page[name]]
        every = sorted((row["response_characters"] for row in shown.rows), key=lambda length: sign * length)
        assert lengths == every[: len(lengths)]
    assert page["direction"] == "descending"
    assert {row[0] for row in page["others"]} == {"–"}
    # All words, in any order; 7, 17, 27, ... match.
    assert {row[1] for row in page["searched"]} == {
        row["instruction"] for row in shown.rows if "Question" in row["instruction"] and "7" in row["id"]
    }
    assert page["none"] == [[], "0 of 0 rows"]
    [shortest] = [row for row in shown.rows if row["id"] == "p0"]
    assert shortest["instruction"] in page["opened"]
    assert page["closed"] == 0
    assert page["points"] == len(shown.map.points)
    assert page["pointed"].startswith("Chosen: ")
    # Nothing of a row has run, and nothing reaches beyond the window.
    assert page["title"].startswith("Why these rows")
    assert page["width"] == width
    assert page["wide"] <= width
    assert page["details"] <= width


@in_browser
@pytest.mark.browser
def test_page__shows_duplicates_together(select, tmp_path):
    same = {"instruction": "Say the same thing again", "response": "As you like it"}
    shown = content.build(select("full", 60, {10: same, 20: same}))
    script = """
    document.getElementById("filter").value = "twins"
    document.getElementById("filter").dispatchEvent(new Event("input"))
    const cells = row => [...row.cells].map(cell => cell.textContent)
    return [...document.querySelectorAll("#rows tr.row")].map(cells).map(row => [row[0], row.at(-1)])
    """
    page = browser.measured(tmp_path, render.render(HEADING, shown), 800, script)
    assert page == [["11", ""], ["21", "= 11"]]


@in_browser
@pytest.mark.browser
def test_page__shows_wanted_rows_and_text_that_looks_like_markup(shown, tmp_path):
    script = """
    document.getElementById("search").value = "onerror"
    document.getElementById("search").dispatchEvent(new Event("input"))
    document.querySelector("#rows tr.row").click()
    const read = name => [...document.querySelectorAll(`.detail ${name}`)].map(part => part.textContent)
    return {texts: read("pre"), headings: read("b"), title: document.title, images: document.images.length}
    """
    page = browser.measured(tmp_path, render.render(HEADING, shown), 800, script)
    assert page["texts"][:2] == [NASTY, NASTY]
    [row] = [row for row in shown.rows if row["id"] == "p4"]
    wanted = [shown.validation[place] for place, _ in row["nearest"]]
    assert page["texts"][2:] == [f"{row['instruction']}\n→ {row['response']}" for row in wanted]
    assert len(wanted) == 3
    assert (page["title"][:14], page["images"]) == ("Why these rows", 0)
