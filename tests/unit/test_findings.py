"""The page of findings has the tables that its measurements give."""

import importlib
from pathlib import Path

import pytest


@pytest.fixture
def findings(monkeypatch):
    monkeypatch.syspath_prepend(Path("tests/benchmarks").resolve())
    return importlib.import_module("findings")


def test_page__has_every_table_as_measured(findings):
    page = findings.PAGE.read_text()
    assert {match["name"] for match in findings.PLACE.finditer(page)} == set(findings.tables())
    assert findings.with_tables(page) == page, "run tests/benchmarks/findings.py"
