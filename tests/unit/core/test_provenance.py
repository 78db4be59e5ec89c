"""An artifact records what made it."""

import re
import subprocess

import pytest

from instruction_selection.core import code, provenance


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder that stands for the library's."""
    (tmp_path / "rule.py").write_text("")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    return tmp_path


@pytest.fixture
def fresh_commit():
    """`git_commit` without what it remembers, before the test and after."""
    provenance.git_commit.cache_clear()
    yield provenance.git_commit
    provenance.git_commit.cache_clear()


def test_checkout__has_a_commit_or_says_that_it_is_unknown(fresh_commit):
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", fresh_commit())


def test_commit__is_that_of_the_checkout(package, fresh_commit):
    def git(*arguments):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=package, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    git("tag", "v1")
    head = git("rev-parse", "HEAD")
    assert fresh_commit() == head
    (package / "rule.py").write_text("edited = True\n")
    fresh_commit.cache_clear()
    assert fresh_commit() == f"{head}-dirty"


def test_commit__is_unknown_without_git(fresh_commit, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fresh_commit() == "unknown"


def test_record__names_inputs_versions_and_parameters(tmp_path):
    (tmp_path / "rows.jsonl").write_text("abc")
    record = provenance.record(
        {"rows": tmp_path / "rows.jsonl"}, {"ratio": 0.1}, {"rule": "0123"}, packages=("pytest",)
    )
    assert record["inputs"]["rows"]["path"] == str(tmp_path / "rows.jsonl")
    assert record["inputs"]["rows"]["sha256"].startswith("ba7816bf")
    assert record["versions"]["pytest"] == pytest.__version__
    assert record["parameters"] == {"ratio": 0.1}
    assert record["git_commit"]
    assert record["code"] == code.digest({"rule": "0123"})
