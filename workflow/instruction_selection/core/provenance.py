"""What made an artifact: commit, package versions, hashes of its inputs, parameters."""

import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from instruction_selection.core import code as source
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


def record(
    inputs: Mapping[str, str | Path],
    parameters: Mapping[str, Any],
    code: Mapping[str, str] | None,
    packages: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A block for an artifact's JSON: where it came from and how to reproduce it.

    `code` has the hashes of `code.of_job`. Results with the same digest of them were made by the same code, whatever
    their commits.
    """
    return {
        "git_commit": git_commit(),
        "code": source.digest(code),
        "versions": versions(*packages),
        "inputs": {name: {"path": str(path), "sha256": files.sha256(path)} for name, path in inputs.items()},
        "parameters": parameters,
    }
