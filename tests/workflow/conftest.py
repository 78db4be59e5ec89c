"""One real run of the smoke experiment, from a copy of the checkout, for all tests of the workflow."""

import shutil
import subprocess

import pytest
from checkout import Checkout


@pytest.fixture(scope="session")
def finished(tmp_path_factory, repository) -> Checkout:
    """The checkout after a whole run. Tests that change anything take a `copy`."""
    path = tmp_path_factory.mktemp("finished") / "checkout"
    path.mkdir()
    # The working tree, so that uncommitted work is tested; with its history, which artifacts name.
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (repository / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, path / name)
    shutil.copytree(repository / ".git", path / ".git")
    checkout = Checkout(path)
    result = checkout.snakemake()
    assert result.returncode == 0, result.stdout + result.stderr
    return checkout


@pytest.fixture
def copy(finished, tmp_path) -> Checkout:
    shutil.copytree(finished.path, tmp_path / "copy", symlinks=True)
    return Checkout(tmp_path / "copy")
