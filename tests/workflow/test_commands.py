"""Every `snakemake` and `make` command of the pages is run, where it can be as a dry run.

Those of `snakemake` are for the smoke experiment.
What the targets of `make` start is run by other tests, or is what continuous integration runs.
"""

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import conda_channel
from support.checkout import Checkout

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("config/*.md")]
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: What the smoke experiment has instead of the demo's, or of a name that a reader fills in.
IN_SMOKE = {
    **dict.fromkeys([r"\bNAME\b", r"\bdemo\b", r"\bmini\b", r"\bown\b", r"\bmine\b"], "smoke"),
    **{r"\bsmollm2-135m\b": "tiny-llama", "/opt/selection/": "", "~/work": "."},
}
#: Of a workflow that imports this one; test_modules.py runs it.
ELSEWHERE = {"snakemake --cores 2 selection_select"}
APPTAINER = """#!/bin/sh
[ "$1" = --version ] && exec echo apptainer version 1.4.0
for command; do :; done
exec sh -c "$command"
"""
#: These change files, or what Snakemake knows of finished results, and have no dry run.
AT_ONCE = {"--touch", "--cleanup-metadata", "--unlock", "--report"}


def commands(program: str) -> set[str]:
    """The distinct commands, at the beginning of a block's line or between backticks."""
    found = set()
    for page in PAGES:
        text = page.read_text()
        lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
        lines += re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))
        found |= {line.partition("#")[0].strip() for line in lines if re.match(rf"{program}( |$)", line)}
    return found - {program}


def in_smoke() -> list[str]:
    """The `snakemake` commands, for the smoke experiment."""
    found = commands("snakemake")
    assert found > ELSEWHERE
    for pattern, smoke in IN_SMOKE.items():
        found = {re.sub(pattern, smoke, command) for command in found}
    return sorted(found - ELSEWHERE)


def test_commands__are_found():
    assert "snakemake estimate" in in_smoke()
    assert "make select EXPERIMENT=own" in commands("make")
    assert len(in_smoke()) > 10


@pytest.mark.parametrize("command", sorted(commands("make")))
def test_make__command_of_the_pages_has_a_target(command, repository):
    words = ["make", "--dry-run", *shlex.split(command)[1:]]
    result = subprocess.run(words, cwd=repository, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """With stand-ins for conda, and for apptainer, whose commands run outside of any container."""
    folder = tmp_path_factory.mktemp("programs")
    conda = conda_channel.write_conda(folder / "conda", folder / "channel")
    for name in ("apptainer", "singularity"):
        program = folder / "conda/bin" / name
        program.write_text(APPTAINER)
        program.chmod(0o755)
    return os.environ | conda | {"PATH": f"{folder / 'conda/bin'}:{os.environ['PATH']}"}


@pytest.mark.parametrize("command", in_smoke())
def test_command__of_the_pages_runs(finished, tmp_path, environment, command):
    checkout, words = finished, shlex.split(command)[1:]
    if AT_ONCE & set(words):
        checkout = Checkout(Path(shutil.copytree(finished.path, tmp_path / "copy", symlinks=True)))
    else:
        words = ["--dry-run", *words]
    words = [name for word in words for name in (sorted(glob.glob(word, root_dir=checkout.path)) or [word])]
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        cwd=checkout.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
