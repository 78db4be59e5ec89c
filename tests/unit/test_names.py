"""Every test says what it is about: `test_<subject>__<property>`."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(TESTS.rglob("test_*.py"))
NAME = re.compile(r"test_[a-z0-9]+(_[a-z0-9]+)*__[a-z0-9]+(_[a-z0-9]+)*")


def names(source: str) -> list[str]:
    """The test functions and test methods of a module."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return [node.name for node in functions if node.name.startswith("test")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_names__have_a_subject_and_a_property(path):
    found = names(path.read_text())
    assert [name for name in found if not NAME.fullmatch(name)] == []
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("name", ["test_rows_come_back", "test__rows_come_back", "test_rows__", "test_rows"])
def test_names__without_a_subject_are_found(name):
    [found] = names(f"class TestRows:\n    def {name}(self): ...")
    assert not NAME.fullmatch(found)
