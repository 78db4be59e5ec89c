"""Results, or a whole checkout, in which this user may not write.

Tests run as root in some places, so here a process has no more rights than its files' permissions say.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.running import EXPERIMENT, RESULTS, Run, said

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "snakemake", "--cores", "1", "--config", f"experiment={EXPERIMENT}"]
#: Of root; another user has none of these.
CAPABILITIES = "-dac_override,-dac_read_search,-fowner"
EVALUATION = f"{RESULTS}/runs/tiny-llama/any/any/base/0/seed0/eval"


def snakemake(run: Run, *arguments: str) -> subprocess.CompletedProcess:
    drop = ["setpriv", f"--bounding-set={CAPABILITIES}"] if os.geteuid() == 0 else []
    command = [*drop, *COMMAND, *arguments]
    return subprocess.run(command, cwd=run.path, capture_output=True, text=True, check=False, timeout=300)


def set_writable(folder: Path, writable: bool) -> None:
    subprocess.run(["chmod", "-R", "u+w" if writable else "a-w", str(folder)], check=True)


@pytest.fixture
def read_only(copy):
    """A function that takes the right to write to a folder of the copy away, until the test ends."""
    yield lambda folder: set_writable(copy.path / folder, False)
    set_writable(copy.path, True)


def one_sentence(done: subprocess.CompletedProcess, place: str) -> None:
    assert done.returncode == 1, said(done)
    assert f"{place}: this user cannot write here; " in said(done)
    assert "Traceback" not in said(done)


def test_read_only_results__are_planned_and_need_nothing(copy, read_only):
    read_only("results")
    for arguments in (["--dry-run"], []):
        done = snakemake(copy, *arguments)
        assert done.returncode == 0, said(done)
        assert "Nothing to be done" in said(done)


def test_read_only_results__that_lack_something_are_one_sentence(copy, read_only, undisturbed):
    shutil.rmtree(copy.path / EVALUATION)
    before = copy.jobs()
    read_only("results")
    one_sentence(snakemake(copy, "--", f"{EVALUATION}/logic.json"), RESULTS)
    set_writable(copy.path, True)
    assert copy.jobs() == before
    copy.finish()
    assert copy.tables() == undisturbed.tables()


def test_read_only_checkout__is_one_sentence(copy, read_only):
    read_only(".")
    one_sentence(snakemake(copy, "--dry-run"), ".snakemake")
