"""What continuous integration runs exists, and is everything."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
WORKFLOW = REPOSITORY / ".github/workflows/ci.yml"
#: Files that say what to run: of continuous integration, of the maintainers, of the pages for users.
SAY = [
    WORKFLOW,
    *(REPOSITORY / ".ci").iterdir(),
    *(REPOSITORY / ".github").rglob("*.md"),
    *(REPOSITORY / ".github").rglob("*.yml"),
    *REPOSITORY.glob("*.md"),
    *(REPOSITORY / "docs").glob("*.md"),
    *(REPOSITORY / "envs").glob("*.txt"),
    REPOSITORY / "Makefile",
    REPOSITORY / "mkdocs.yml",
]
FOLDERS = "tests|envs|container|config|docs|workflow|slurm|profiles|website|.ci|.github"


def jobs() -> dict[str, dict]:
    return yaml.safe_load(WORKFLOW.read_text())["jobs"]


def steps() -> list[dict]:
    return [step for job in jobs().values() for step in job["steps"]]


def test_targets_of_make__exist():
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for path in SAY:
        text = path.read_text()
        # A command begins a line or stands between backticks.
        commands = re.findall(r"(?:^|`|- run: )make ((?:[a-z]+ ?)+)", text, re.MULTILINE)
        named = {target for command in commands for target in command.split()}
        assert named <= targets, path


@pytest.mark.parametrize("path", [WORKFLOW, *sorted((REPOSITORY / ".ci").iterdir())], ids=lambda path: path.name)
def test_paths_in_continuous_integration__exist(path):
    text = re.sub(r"#.*|https://\S+", "", path.read_text())
    named = set(re.findall(rf"(?<![\w./-])(?:\./)?((?:{FOLDERS})/[\w./*-]+)", text))
    assert named, path
    assert [name for name in named if not list(REPOSITORY.glob(name))] == []


def test_jobs__run_every_folder_of_tests():
    matrix = jobs()["test"]["strategy"]["matrix"]
    commands = " ".join([*matrix["tests"], *(entry["tests"] for entry in matrix["include"])])
    commands += " ".join(step.get("run", "") for step in steps())
    recipes = dict(re.findall(r"^([a-z]+):.*\n\t(.*)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    commands += " ".join(recipes[target] for target in re.findall(r"make ([a-z]+)", commands) if target in recipes)
    folders = {path.relative_to(REPOSITORY).parts[1] for path in (REPOSITORY / "tests").rglob("test_*.py")}
    assert folders == set(re.findall(r"tests/(\w+)", commands)) & folders


def test_local_run__runs_every_folder_of_tests():
    assert {"lint", "docs", "environments", "test", "slow"} <= set(
        re.findall(r"^make (\w+)$", (REPOSITORY / ".ci/run").read_text(), re.MULTILINE)
    )
    slow = re.search(r"^slow:.*\n\t(.*)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    tested = {*PYPROJECT["tool"]["pytest"]["ini_options"]["testpaths"], *slow[1].split()}
    assert {str(path.parent.relative_to(REPOSITORY)) for path in (REPOSITORY / "tests").glob("*/test_*.py")} <= tested


def test_skips__are_rejected_everywhere():
    assert yaml.safe_load(WORKFLOW.read_text())["env"]["PYTEST_ADDOPTS"] == "--no-silent-skips"
    assert "\n    export PYTEST_ADDOPTS=--no-silent-skips\n" in (REPOSITORY / ".ci/run").read_text()


def test_pythons__are_those_that_the_package_names():
    classifiers = [line.rpartition(" :: ")[2] for line in PYPROJECT["project"]["classifiers"]]
    assert jobs()["test"]["strategy"]["matrix"]["python"] == classifiers
    assert PYPROJECT["project"]["requires-python"] == f">={classifiers[0]}"


def test_actions__have_one_version_each():
    used = {tuple(step["uses"].split("@")) for step in steps() if "uses" in step}
    assert len({action for action, _ in used}) == len(used)
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+|[0-9a-f]{40}", version) for _, version in used)


def test_jobs__end():
    assert all(job["timeout-minutes"] <= 120 for job in jobs().values())
