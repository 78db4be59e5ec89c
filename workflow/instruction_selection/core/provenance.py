"""What made an artifact: commit, package versions, hashes of its inputs, parameters."""

import ast
import hashlib
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from instruction_selection.core import files

PACKAGE = Path(__file__).resolve().parents[1]


@cache
def git_commit() -> str:
    """The checkout's commit, with `-dirty` if tracked files differ from it; `unknown` without git or a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return result.stdout.strip() or "unknown"


def versions(*packages: str) -> dict[str, str]:
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in packages}}


def record(inputs: dict[str, str | Path], parameters: dict, packages: tuple[str, ...] = ()) -> dict:
    """A block for an artifact's JSON: where it came from and how to reproduce it."""
    return {
        "git_commit": git_commit(),
        "versions": versions(*packages),
        "inputs": {name: {"path": str(path), "sha256": files.sha256(path)} for name, path in inputs.items()},
        "parameters": parameters,
    }


def source_hash(module: str) -> str:
    """A short hash of a library module and of every library module that it imports, directly or not.

    Snakemake sees edits of a rule's script but not of the modules behind it; put this in a rule's `params`.
    """
    start = _path_of(module)
    if start is None:
        raise ModuleNotFoundError(f"{module} is not a module of this library")
    digest = hashlib.sha256()
    for path in sorted(_closure(start)):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _path_of(module: str) -> Path | None:
    base = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _closure(path: Path) -> set[Path]:
    closure, todo = set(), [path]
    while todo:
        current = todo.pop()
        if current not in closure:
            closure.add(current)
            todo += _imports(current)
    return closure


def _imports(path: Path) -> list[Path]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    candidates = (_path_of(name) for name in names if name.split(".")[0] == PACKAGE.name)
    return [candidate for candidate in candidates if candidate]
