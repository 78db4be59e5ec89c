"""The report in a browser without a window: what is written is shown, and nothing is missed."""

import json
import re
import shutil
import subprocess

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="no Chromium is here")]
#: What the page says of itself when all of it is there, written where the test finds it.
LOOK = """
<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(part => part.open = true)
  const found = {
    tables: [...document.querySelectorAll("table")].map(table => table.rows.length),
    images: [...document.images].map(image => image.complete && image.naturalWidth * image.clientWidth > 0),
    fetched: performance.getEntriesByType("resource").map(entry => entry.name).filter(url => !url.startsWith("data:")),
    wide: document.documentElement.scrollWidth > innerWidth,
    // How far each table reaches beyond its box, which scrolls, and each box beyond the window.
    hidden: [...document.querySelectorAll("table")].map(table => {
      const box = table.closest(".scroll")
      return box ? box.scrollWidth - box.clientWidth : table.getBoundingClientRect().right - innerWidth
    }),
    beyond: [...document.querySelectorAll(".scroll, img")].filter(
      box => !box.parentElement.closest(".scroll") && box.getBoundingClientRect().right > innerWidth
    ).length,
  }
  const measured = document.createElement("pre")
  measured.id = "measured"
  measured.textContent = JSON.stringify(found)
  document.body.append(measured)
})
</script>
"""


@pytest.fixture
def browse(tmp_path):
    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
        return subprocess.run(
            [*command, "--enable-logging=stderr", "--virtual-time-budget=10000", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )

    return run


@pytest.mark.parametrize("width", [1200, 400])
def test_report__shows_tables_and_images_and_fetches_nothing(finished, browse, tmp_path, width):
    report = (finished.path / "results/smoke/report.html").read_text()
    page = tmp_path / "report.html"
    # The report itself lets no script run.
    assert report.count("default-src 'none'") == 1
    report = report.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    page.write_text(report.replace("</body>", f"{LOOK}</body>"))
    shown = browse(f"--window-size={width},900", "--dump-dom", page.as_uri())
    assert "CONSOLE" not in shown.stderr
    found = json.loads(re.search(r'<pre id="measured">(.*?)</pre>', shown.stdout, re.DOTALL)[1])
    assert len(found["tables"]) >= 3
    assert min(found["tables"]) > 1
    assert len(found["images"]) == report.count("<img")
    assert all(found["images"])
    assert found["fetched"] == []
    assert not found["wide"]
    assert found["beyond"] == 0
    # At a laptop's width nothing is cut; on a telephone, boxes scroll.
    assert width < 1200 or max(found["hidden"]) <= 0


def test_report__prints(finished, browse, tmp_path):
    page = (finished.path / "results/smoke/report.html").as_uri()
    assert "CONSOLE" not in browse(f"--print-to-pdf={tmp_path / 'report.pdf'}", page).stderr
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
