"""A browser without a window: what a page shows, at any width."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "no Chromium is here"
#: A window has a smallest width, a frame in it has not. Scripts of the frame around it need no leave of the page's.
FRAME = """\
<!DOCTYPE html>
<meta charset="utf-8">
<iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{page}"></iframe>
<pre id="measured"></pre>
<script>
addEventListener("load", () => {{
  const view = frames[0], document = view.document
  const found = (() => {{ {script} }})()
  self.document.getElementById("measured").textContent = JSON.stringify(found)
}})
</script>
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Chromium with a profile in `folder`; what the console shows is on lines with CONSOLE in its standard error."""
    command = [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    return subprocess.run(
        [*command, "--enable-logging=stderr", "--virtual-time-budget=10000", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def measured(folder: Path, page: str, width: int, script: str) -> Any:
    """What `script`, the body of a function of `view` and `document`, returns of a page (HTML) when it is loaded.

    The page itself stays as it is. Fails if anything is written to the console.
    """
    path = folder / "framed.html"
    path.write_text(FRAME.format(width=width, page=html.escape(page), script=script), encoding="utf-8")
    shown = run(folder, "--window-size=1600,1000", "--dump-dom", path.as_uri())
    assert "CONSOLE" not in shown.stderr, shown.stderr
    found = re.search(r'<pre id="measured">(.*?)</pre>', shown.stdout, re.DOTALL)[1]
    return json.loads(html.unescape(found))
