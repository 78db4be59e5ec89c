"""An artifact records what made it, and changes of the code behind a rule are noticed."""

import re
import shutil
import subprocess

import pytest

from instruction_selection.core import provenance

SOURCES = {
    "__init__": "",
    "rule": "import os\nfrom library import direct\nfrom library.sub import nested\n",
    "direct": "from library.indirect import something\n",
    "indirect": "def later():\n    import library.lazy\n\nimport library.rule\n",
    "lazy": "",
    "sub/__init__": "",
    "sub/nested": "",
    "sub/unrelated": "",
    "unrelated": "from library import rule\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A library in which `rule` imports modules directly and indirectly, in a circle."""
    folder = tmp_path / "library"
    (folder / "sub").mkdir(parents=True)
    for module, text in SOURCES.items():
        (folder / f"{module}.py").write_text(text)
    monkeypatch.setattr(provenance, "PACKAGE", folder)
    return folder


def hash_after_editing(package, module):
    with (package / f"{module}.py").open("a") as handle:
        handle.write("EDITED = True\n")
    return provenance.source_hash("library.rule")


@pytest.mark.parametrize("module", ["rule", "direct", "indirect", "lazy", "sub/nested"])
def test_an_edit_behind_a_module_changes_its_hash(package, module):
    assert provenance.source_hash("library.rule") != hash_after_editing(package, module)


@pytest.mark.parametrize("module", ["unrelated", "sub/unrelated"])
def test_an_edit_elsewhere_does_not(package, module):
    assert provenance.source_hash("library.rule") == hash_after_editing(package, module)


def test_the_hash_does_not_depend_on_where_the_library_is(package, monkeypatch):
    before = provenance.source_hash("library.rule")
    elsewhere = shutil.copytree(package, package.parent / "elsewhere" / "library")
    monkeypatch.setattr(provenance, "PACKAGE", elsewhere)
    assert provenance.source_hash("library.rule") == before


@pytest.fixture
def fresh_commit():
    """`git_commit` without what it remembers, before the test and after."""
    provenance.git_commit.cache_clear()
    yield provenance.git_commit
    provenance.git_commit.cache_clear()


def test_this_checkout_has_a_commit_or_says_that_it_is_unknown(fresh_commit):
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", fresh_commit())


def test_the_commit_is_that_of_the_checkout(package, fresh_commit):
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


def test_the_commit_is_unknown_without_git(fresh_commit, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fresh_commit() == "unknown"


def test_a_record_names_inputs_versions_and_parameters(tmp_path):
    (tmp_path / "rows.jsonl").write_text("abc")
    record = provenance.record({"rows": tmp_path / "rows.jsonl"}, {"ratio": 0.1}, packages=("pytest",))
    assert record["inputs"]["rows"]["path"] == str(tmp_path / "rows.jsonl")
    assert record["inputs"]["rows"]["sha256"].startswith("ba7816bf")
    assert record["versions"]["pytest"] == pytest.__version__
    assert record["parameters"] == {"ratio": 0.1}
    assert record["git_commit"]
