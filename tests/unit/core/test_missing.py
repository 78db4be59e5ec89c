"""A package that is never used may be missing; one that is used says so, and why."""

import importlib
import sys

import pytest

from instruction_selection.core.missing import stand_in_for

ABSENT = "package_that_is_not_installed"


@pytest.fixture
def absent():
    stand_in_for(ABSENT, "nobody needs it")
    yield importlib.import_module(ABSENT)
    del sys.modules[ABSENT]


def test_without_a_stand_in_the_import_fails():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(ABSENT)


def test_a_stand_in_can_be_imported_but_not_used(absent):
    with pytest.raises(ImportError, match=rf"{ABSENT}\.solve .* nobody needs it"):
        absent.solve()


def test_importing_from_a_stand_in_says_why(absent):
    with pytest.raises(ImportError, match="nobody needs it"):
        exec(f"from {ABSENT} import solve")


def test_an_imported_package_is_left_alone():
    stand_in_for("pytest", "tests run without it")
    assert importlib.import_module("pytest") is pytest


def test_an_installed_package_that_is_not_imported_yet_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "installed_package.py").write_text("ANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    stand_in_for("installed_package", "it is there")
    assert "installed_package" not in sys.modules
    assert importlib.import_module("installed_package").ANSWER == 42
