"""A version is written in one place per environment, and the places agree."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ENVS = Path(__file__).resolve().parents[2] / "envs"
#: Where an environment must differ; the reason stands in the file.
DIFFERENT = {"training": {"torch", "setuptools"}}


def pins(lines: list[str]) -> dict[str, str]:
    requirements = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    for requirement in requirements:
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], f"{requirement} is not pinned"
    assert len({requirement.name for requirement in requirements}) == len(requirements)
    return {requirement.name: str(requirement.specifier) for requirement in requirements}


def after_deployment(path: Path) -> list[str]:
    """What an environment's post-deploy script installs."""
    script = path.with_suffix(".post-deploy.sh")
    return re.findall(r"\S+==\S+", script.read_text()) if script.exists() else []


def laptop() -> dict[str, str]:
    files = ("laptop.txt", "laptop-no-deps.txt", "tests.txt")
    return pins([line for name in files for line in (ENVS / name).read_text().splitlines()])


def conda(path: Path) -> dict:
    return yaml.safe_load(path.read_text())["dependencies"]


@pytest.mark.parametrize("path", sorted(ENVS.glob("*.yaml")), ids=lambda path: path.stem)
def test_conda_environments__agree_with_the_laptop(path):
    [section] = [entry["pip"] for entry in conda(path) if isinstance(entry, dict)]
    known = laptop()
    for name, version in pins(section + after_deployment(path)).items():
        if name not in DIFFERENT.get(path.stem, set()) and name in known:
            assert version == known[name], name
    for name in DIFFERENT.get(path.stem, set()):
        assert pins(section)[name] != known[name]


@pytest.mark.parametrize("path", sorted(ENVS.glob("*.yaml")), ids=lambda path: path.stem)
def test_conda_environments__take_python_and_pip_from_conda_forge(path):
    assert yaml.safe_load(path.read_text())["channels"] == ["conda-forge"]
    assert conda(path)[:2] == ["python=3.11", "pip"]


@pytest.mark.parametrize("name", ["tools.txt", "docs.txt", "benchmarks.txt"])
def test_other_environments__agree_with_the_laptop(name):
    others, known = pins((ENVS / name).read_text().splitlines()), laptop()
    assert others
    assert {package: version for package, version in others.items() if known.get(package, version) != version} == {}


def test_hooks__before_a_commit_have_the_versions_of_the_tests():
    repositories = yaml.safe_load((ENVS.parent / ".pre-commit-config.yaml").read_text())["repos"]
    found = {
        Path(each["repo"]).name.removesuffix("-pre-commit"): f"=={each['rev'][1:]}"
        for each in repositories
        # A local hook is the program in .venv.
        if each["repo"] != "local"
    }
    assert found == {name: laptop()[name] for name in found}
