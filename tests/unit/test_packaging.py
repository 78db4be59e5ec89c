"""`pip install .` brings what the library imports, in versions that include the pinned ones."""

import ast
import re
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "workflow/instruction_selection"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PACKAGES = sorted(path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists())


def declared(extra: str | None) -> dict[str, Requirement]:
    """The requirements of an extra, and of the extras that it names, by name."""
    found = {}
    for requirement in map(Requirement, PROJECT["dependencies"] if extra is None else EXTRAS[extra]):
        if requirement.name == PROJECT["name"]:
            for other in requirement.extras:
                found |= declared(other)
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


def imported(package: str) -> dict[str, set[str]]:
    """The distributions that a package's modules import, each with those modules."""
    distributions = packages_distributions()
    found = defaultdict(set)
    for path in sorted((LIBRARY / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            for name in {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {LIBRARY.name}:
                found[canonicalize_name(distributions[name][0])].add(str(path.relative_to(LIBRARY)))
    return found


def pinned() -> dict[str, set[str]]:
    """Versions of the laptop environment by name; a lock may have one for each of several Pythons."""
    found = defaultdict(set)
    for name in ("laptop.lock", "laptop-no-deps.lock", "laptop.txt"):
        for project, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", (REPOSITORY / "envs" / name).read_text(), re.M):
            found[canonicalize_name(project)].add(version)
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports__are_declared_for_their_package(package):
    allowed = declared(None) | (declared(package) if package in EXTRAS else {})
    missing = {name: paths for name, paths in imported(package).items() if name not in allowed}
    assert missing == {}, "declare these in pyproject.toml"


def test_requirements__include_the_pinned_versions():
    versions = pinned()
    for extra in (None, *EXTRAS):
        for name, requirement in declared(extra).items():
            assert versions[name], f"{name} is not pinned in envs/laptop.txt"
            assert all(requirement.specifier.contains(version) for version in versions[name]), name


def test_requirements__state_no_version_but_where_the_code_does():
    snakefile = (REPOSITORY / "Snakefile").read_text()
    bounds = {name: str(each.specifier) for name, each in declared("all").items() if each.specifier}
    assert bounds == {"snakemake": ">=" + re.search(r'min_version\("(.+)"\)', snakefile)[1]}


def test_extra_all__is_all_of_them():
    assert declared("all").keys() == {name for extra in EXTRAS for name in declared(extra)}


def test_files_beside_the_code__are_in_the_package():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = settings["package-data"][LIBRARY.name]
    others = {
        path
        for path in LIBRARY.rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    assert others == {path for pattern in patterns for path in LIBRARY.glob(pattern)}


def test_version__is_that_of_the_changelog_and_of_the_citation():
    newest = re.search(r"^## (\d\S+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.M)[1]
    cited = re.search(r"^version: (\S+)", (REPOSITORY / "CITATION.cff").read_text(), re.M)[1]
    assert newest == cited == PROJECT["version"]
