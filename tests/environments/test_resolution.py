"""Every conda environment's pip packages can be had together, and are all that its scripts need.

Resolving asks PyPI, so `make environments` runs this and `make test` does not. Only what was resolved may be imported
here: the packages come from the laptop environment, which has them all in the versions that the files name, but for
torch.
"""

import ast
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.network

REPOSITORY = Path(__file__).resolve().parents[2]
ENVS = sorted((REPOSITORY / "envs").glob("*.yaml"))
SCRIPT = re.compile(r'"(.*/scripts/.*\.py)"')
#: What is imported by a process that a script starts, or only in some configurations.
ALSO = {
    "training": ["deepspeed", "deepspeed.runtime.zero.config", "peft", "llamafactory.train.tuner"],
    "evaluation": ["lm_eval.models.huggingface", "peft"],
    "embeddings": ["sentence_transformers"],
    "selection": [
        f"instruction_selection.methods.{path.stem}"
        for path in sorted((REPOSITORY / "workflow/instruction_selection/methods").glob("[!_]*.py"))
    ],
}


def pip_section(path: Path) -> list[str]:
    [section] = [entry["pip"] for entry in yaml.safe_load(path.read_text())["dependencies"] if isinstance(entry, dict)]
    return section


def after_deployment(path: Path) -> list[str]:
    """The packages that an environment's post-deploy script installs without their dependencies."""
    script = path.with_suffix(".post-deploy.sh")
    return re.findall(r"\S+==\S+", script.read_text()) if script.exists() else []


@pytest.fixture(scope="module")
def resolved() -> dict[str, set[str]]:
    """Names of an environment's packages, and of all that they depend on."""

    def resolve(path: Path) -> set[str]:
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        result = subprocess.run(
            [*command, "--report", "-", *pip_section(path)], capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, f"{path}: {result.stderr}"
        report = json.loads(result.stdout)
        return {canonicalize_name(entry["metadata"]["name"]) for entry in report["install"]}

    with ThreadPoolExecutor(2) as pool:
        return dict(zip((path.stem for path in ENVS), pool.map(resolve, ENVS), strict=True))


def imports(script: Path) -> list[str]:
    nodes = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [ast.unparse(node) for node in nodes]


def scripts(environment: str) -> list[Path]:
    """The scripts of the rules that name an environment; a rule that uses another's has the other's."""
    text = "\n".join(path.read_text() for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk")))
    rules = re.split(r"^(?=(?:use )?rule \w+)", text, flags=re.MULTILINE)
    script = {
        name: found for rule in rules for name in re.findall(r"^rule (\w+)", rule) for found in SCRIPT.findall(rule)
    }
    names = [re.match(r"(?:use )?rule (\w+)", rule)[1] for rule in rules if f'"../../envs/{environment}.yaml"' in rule]
    return sorted({REPOSITORY / "workflow/rules" / script[name] for name in names})


def with_requirements(packages: set[str]) -> set[str]:
    """`packages` and what the versions of them that are installed here need, which may be others than were resolved."""
    installed = {canonicalize_name(distribution.name): distribution for distribution in distributions()}
    found, waiting = set(), sorted(packages & installed.keys())
    while waiting:
        name = waiting.pop()
        found.add(name)
        for requirement in map(Requirement, installed[name].requires or []):
            needed = canonicalize_name(requirement.name)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting += [needed] if needed in installed and needed not in found else []
    return found


def import_with(packages: set[str], statements: list[str], folder: Path) -> subprocess.CompletedProcess:
    """Run `statements` where only `packages`, which are linked into `folder`, are installed."""
    for distribution in distributions():
        if canonicalize_name(distribution.name) in packages:
            for name in {path.parts[0] for path in distribution.files} - {"..", "__pycache__"}:
                if not (folder / name).exists():
                    (folder / name).symlink_to(distribution.locate_file(name))
    program = "\n".join(["import sys", f"sys.path += [{str(folder)!r}, {str(REPOSITORY / 'workflow')!r}]", *statements])
    # Without site-packages.
    command = [sys.executable, "-I", "-S", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_scripts__import_nothing_that_their_environment_lacks(path, resolved, tmp_path):
    added = {canonicalize_name(Requirement(line).name) for line in after_deployment(path)}
    statements = [statement for script in scripts(path.stem) for statement in imports(script)]
    assert statements, f"no rule uses {path}"
    statements += [f"import {name}" for name in ALSO.get(path.stem, [])]
    result = import_with(with_requirements(resolved[path.stem]) | added, statements, tmp_path)
    assert result.returncode == 0, result.stderr


def test_environment__is_noticed_to_lack_a_package(resolved, tmp_path):
    statements = [statement for script in scripts("selection") for statement in imports(script)]
    result = import_with(with_requirements(resolved["selection"]) - {"h5py"}, statements, tmp_path)
    assert "No module named 'h5py'" in result.stderr
