"""Copies of an undisturbed run, and checkouts in which there was none yet."""

import shutil

import pytest
from support import small
from support.running import Run


@pytest.fixture(scope="session")
def unstarted(fresh, tmp_path_factory):
    """A function that gives a checkout in which nothing has been run."""

    def make(name: str) -> Run:
        return Run(small.copied(fresh, tmp_path_factory.mktemp(name) / "checkout"))

    return make


@pytest.fixture
def copy(undisturbed, tmp_path) -> Run:
    return Run(shutil.copytree(undisturbed.path, tmp_path / "copy", symlinks=True))
