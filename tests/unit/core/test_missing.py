"""A package that is never used may be missing; one that is used says so, and why."""

import importlib
import sys

import pytest

from instruction_selection.core.missing import stand_in_for

ABSENT, WHY = "package_that_is_not_installed", "nobody needs it"


@pytest.fixture
def absent():
    stand_in_for(ABSENT, WHY)
    yield importlib.import_module(ABSENT)
    del sys.modules[ABSENT]


def test_import__fails_without_a_stand_in():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(ABSENT)


def test_stand_in__can_be_imported_but_not_used(absent):
    with pytest.raises(ImportError, match=WHY) as caught:
        absent.solve()
    assert caught.value.name == f"{ABSENT}.solve"


def test_stand_in__gives_the_reason_to_an_import_from_it(absent):
    with pytest.raises(ImportError, match=WHY):
        exec(f"from {ABSENT} import solve")


def test_stand_in__leaves_an_imported_package_alone():
    stand_in_for("pytest", "tests run without it")
    assert importlib.import_module("pytest") is pytest


def test_stand_in__leaves_an_installed_package_alone(tmp_path, monkeypatch):
    (tmp_path / "installed_package.py").write_text("ANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    stand_in_for("installed_package", "it is there")
    assert "installed_package" not in sys.modules
    assert importlib.import_module("installed_package").ANSWER == 42
