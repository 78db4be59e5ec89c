"""Tests in several processes: `pytest -n 2`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

#: Folders whose tests use one finished run where it lies, so that one process has them all.
IN_ONE_PROCESS = {"tests/workflow", "tests/cluster"}


class ByFile(LoadScopeScheduling):
    """A process takes the tests of a file, or of a folder `IN_ONE_PROCESS`, in the order of their collection."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = str(Path(file).parent)
        return folder if folder in IN_ONE_PROCESS else file


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
