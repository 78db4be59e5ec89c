"""The documentation site shows the pages of this repository; `make docs` builds it and checks its links."""

import os
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SITE = REPOSITORY / "website"
PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md"), REPOSITORY / "config/README.md"]


def files() -> dict[str, Path]:
    """The files of the site, by their path in it."""
    found = {}
    for folder, _, names in os.walk(SITE, followlinks=True):
        found |= {str(Path(folder, name).relative_to(SITE)): Path(folder, name) for name in names}
    return found


def test_site__has_each_page_at_its_place_in_the_repository():
    shown = {name: path.resolve() for name, path in files().items()}
    assert shown == {name: REPOSITORY / name for name in shown}
    assert {str(path.relative_to(REPOSITORY)) for path in PAGES} <= shown.keys()


def test_navigation__names_every_page_once():
    navigation = (REPOSITORY / "mkdocs.yml").read_text().partition("\nnav:\n")[2].partition("\n\n")[0]
    named = re.findall(r": (\S+\.md)$", navigation, re.MULTILINE)
    assert sorted(named) == sorted(name for name in files() if name.endswith(".md"))


def test_links__lead_to_a_file_of_the_site():
    shown = {path.resolve() for path in files().values()}
    for page in PAGES:
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
        targets = {link: (page.parent / link).resolve() for link in links if "://" not in link}
        assert {link for link, target in targets.items() if target not in shown} == set(), page


def test_overview__links_to_every_page_of_docs():
    overview = (REPOSITORY / "docs/index.md").read_text()
    pages = {path.name for path in (REPOSITORY / "docs").glob("*.md")} - {"index.md"}
    assert pages <= set(re.findall(r"\]\(([^)]+)\)", overview))
