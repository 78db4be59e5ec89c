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
def finished(tmp_path_factory):
    def make(folder):
        folder.mkdir()
        with open("made.txt", "a") as file: file.write("once ")
    return parallel.made_once("run", make, tmp_path_factory)
"""
TESTS = """
import os, pytest

@pytest.mark.parametrize("number", range(4))
def test_it(FIXTURE, number, request):
    assert FIXTURE.is_dir()
    with open("where.txt", "a") as file: print(request.path.stem, os.environ["PYTEST_XDIST_WORKER"], file=file)
"""


def test_made_once__by_one_process_for_all_and_who_uses_it_stays_in_one(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    names = ("workflow/test_a", "workflow/test_b", "faults/test_c", "faults/test_d", "workflow/test_of_its_own")
    for name in names:
        file = tmp_path / f"tests/{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TESTS.replace("FIXTURE", "tmp_path" if name == names[-1] else "finished"))
    (tmp_path / "pytest.ini").write_text("[pytest]\npython_files = test_*.py\n")
    command = [sys.executable, "-m", "pytest", "-n", "2", "--import-mode=importlib", "-p", "no:cacheprovider", "tests"]
    environment = {"PYTHONPATH": str(Path(parallel.__file__).parents[1]), "PATH": ""}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "20 passed" in result.stdout, result.stdout + result.stderr
    assert (tmp_path / "made.txt").read_text() == "once "
    lines = [line.split() for line in (tmp_path / "where.txt").read_text().splitlines()]
    assert len({process for name, process in lines if name in ("test_a", "test_b")}) == 1
    assert len({process for _, process in lines}) == 2
