"""Tests in several processes."""

import subprocess
import sys
from pathlib import Path

from support import parallel

CONFTEST = """
import os, pytest
from support import parallel

def pytest_xdist_make_scheduler(config, log):
    return parallel.ByFile(config, log)

@pytest.fixture(scope="session")
def run(tmp_path_factory):
    def make(folder):
        folder.mkdir()
        with open("made.txt", "a") as file: file.write("once ")
    return parallel.made_once("run", make, tmp_path_factory)
"""
TESTS = """
import os, pytest

@pytest.mark.parametrize("number", range(4))
def test_it(run, number, request):
    assert run.is_dir()
    with open("where.txt", "a") as file: print(request.path.parent.name, os.environ["PYTEST_XDIST_WORKER"], file=file)
"""


def test_made_once__by_one_process_for_all_and_a_folder_stays_in_one(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name in ("workflow/test_a", "workflow/test_b", "faults/test_c", "faults/test_d"):
        file = tmp_path / f"tests/{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\npython_files = test_*.py\n")
    command = [sys.executable, "-m", "pytest", "-n", "2", "--import-mode=importlib", "-p", "no:cacheprovider", "tests"]
    environment = {"PYTHONPATH": str(Path(parallel.__file__).parents[1]), "PATH": ""}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "16 passed" in result.stdout, result.stdout + result.stderr
    assert (tmp_path / "made.txt").read_text() == "once "
    lines = [line.split() for line in (tmp_path / "where.txt").read_text().splitlines()]
    assert len({process for folder, process in lines if folder == "workflow"}) == 1
    assert len({process for _, process in lines}) == 2
