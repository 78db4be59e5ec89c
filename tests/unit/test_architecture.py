"""docs/architecture.md has the library's packages, and the arrows between them that imply all others."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "workflow" / "instruction_selection"
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text()
Arrow = tuple[str, str]


def imported() -> set[Arrow]:
    """(importing package, imported package), imports inside of functions among them."""
    arrows = set()
    for path in LIBRARY.glob("*/**/*.py"):
        package = path.relative_to(LIBRARY).parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("instruction_selection"):
                _, *inner = node.module.split(".")
                arrows |= {(package, name) for name in (inner[:1] or [alias.name for alias in node.names])}
    return {(package, other) for package, other in arrows if package != other}


def reachable(arrows: set[Arrow]) -> set[Arrow]:
    found = set(arrows)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


def without_implied(arrows: set[Arrow]) -> set[Arrow]:
    return {arrow for arrow in arrows if arrow not in reachable(arrows - {arrow})}


def test_picture__has_the_arrows_that_imply_all_others():
    assert set(re.findall(r"^  (\w+) --> (\w+)$", PAGE, re.MULTILINE)) == without_implied(imported())


def test_page__describes_every_package_once():
    packages = sorted(path.parent.name for path in LIBRARY.glob("*/__init__.py"))
    assert sorted(re.findall(r"^\*\*`(\w+)`\*\*", PAGE, re.MULTILINE)) == packages


def test_unit_tests__have_the_librarys_folders():
    folders = {
        path.relative_to(REPOSITORY / "tests" / "unit") for path in (REPOSITORY / "tests" / "unit").glob("**/test_*.py")
    }
    assert all((LIBRARY / path.parent).is_dir() for path in folders)
