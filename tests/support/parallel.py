"""Tests in several processes: `pytest -n 2`."""

import ast
import functools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

#: Folders whose tests use one finished run where it lies, so that one process has them all, with the names of the
#: fixtures that are such a run or copies of it. A file in which no test has one of them may go elsewhere.
IN_ONE_PROCESS = {
    "tests/workflow": {"finished", "copy", "repository"},
    "tests/cluster": {"submitted", "copy", "cluster", "workflow"},
}


class ByFile(LoadScopeScheduling):
    """A process takes the tests of a file, or of the files `IN_ONE_PROCESS`, in the order of their collection."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = str(Path(file).parent)
        shared = IN_ONE_PROCESS.get(folder, set())
        return folder if shared & _arguments(self.config.rootpath / file) else file


@functools.cache
def _arguments(file: Path) -> set[str]:
    """Of all functions of a module."""
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]
    return {argument.arg for function in functions for argument in function.args.args}


def made_once(name: str, make: Callable[[Path], object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make` fills, in whichever of the processes comes first; the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    marker = folder.with_name(f"{name}.made")
    with FileLock(folder.with_name(f"{name}.lock")):
        if not marker.exists():
            # What is left of a process that failed.
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            marker.touch()
    return folder
