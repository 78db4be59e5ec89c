"""The report in a browser without a window: what is written is shown, and nothing is missed."""

import pytest
from support import browser

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser.PROGRAM is None, reason=browser.MISSING)]
#: What the page says of itself when all of it is there.
LOOK = """
document.querySelectorAll("details").forEach(part => part.open = true)
return {
  tables: [...document.querySelectorAll("table")].map(table => table.rows.length),
  images: [...document.images].map(image => image.complete && image.naturalWidth * image.clientWidth > 0),
  fetched: view.performance.getEntriesByType("resource").map(entry => entry.name)
    .filter(url => !url.startsWith("data:")),
  width: view.innerWidth,
  wide: document.documentElement.scrollWidth > view.innerWidth,
  // How far each table reaches beyond its box, which scrolls, and each box beyond the window.
  hidden: [...document.querySelectorAll("table")].map(table => {
    const box = table.closest(".scroll")
    return box ? box.scrollWidth - box.clientWidth : table.getBoundingClientRect().right - view.innerWidth
  }),
  beyond: [...document.querySelectorAll(".scroll, img")].filter(
    box => !box.parentElement.closest(".scroll") && box.getBoundingClientRect().right > view.innerWidth
  ).length,
}
"""


@pytest.mark.parametrize("width", [1200, 400])
def test_report__shows_tables_and_images_and_fetches_nothing(finished, tmp_path, width):
    report = (finished.path / "results/smoke/report.html").read_text()
    found = browser.measured(tmp_path, report, width, LOOK)
    assert found["width"] == width
    assert len(found["tables"]) >= 3
    assert min(found["tables"]) > 1
    assert len(found["images"]) == report.count("<img")
    assert all(found["images"])
    assert found["fetched"] == []
    assert not found["wide"]
    assert found["beyond"] == 0
    # At a laptop's width nothing is cut; on a telephone, boxes scroll.
    assert width < 1200 or max(found["hidden"]) <= 0


def test_report__prints(finished, tmp_path):
    page = (finished.path / "results/smoke/report.html").as_uri()
    assert "CONSOLE" not in browser.run(tmp_path, f"--print-to-pdf={tmp_path / 'report.pdf'}", page).stderr
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
