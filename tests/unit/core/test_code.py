"""The hash of a job's code changes with what it computes, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from instruction_selection.core import code

SOURCES = {
    "__init__": "",
    "rule": '"""What it does."""\nimport os\nfrom library import direct\nfrom library.sub import nested\n',
    "direct": "from library.indirect import something\nLIMIT = 3  # of something\n",
    "indirect": "def later():\n    '''Later.'''\n    import library.lazy\n    return 1\n\nimport library.rule\n",
    "lazy": "PROGRAM = 'started.py'\n",
    "started": "import library.behind\n",
    "behind": "",
    "typed": "",
    "sub/__init__": "",
    "sub/nested": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from library.typed import T\n",
    "sub/unrelated": "",
    "unrelated": "from library import rule\n",
    "core/__init__": "",
    "core/logs": "",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A library in which `rule` imports modules directly and indirectly, in a circle, and starts a program."""
    folder = tmp_path / "library"
    for module, text in SOURCES.items():
        path = folder / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(code, "PACKAGE", folder)
    code._read.cache_clear()
    yield folder
    code._read.cache_clear()


def digest_after(package, module, old, new) -> str:
    path = package / f"{module}.py"
    path.write_text(path.read_text().replace(old, new) if old else path.read_text() + new)
    code._read.cache_clear()
    return code.digest(code.of_job("rule"))


@pytest.mark.parametrize("module", ["rule", "direct", "indirect", "lazy", "sub/nested", "started", "behind"])
def test_digest__changes_with_an_edit_behind_the_job(package, module):
    assert code.digest(code.of_job("rule")) != digest_after(package, module, "", "EDITED = True\n")


@pytest.mark.parametrize("module", ["unrelated", "sub/unrelated", "typed"])
def test_digest__does_not_change_with_an_edit_elsewhere(package, module):
    assert code.digest(code.of_job("rule")) == digest_after(package, module, "", "EDITED = True\n")


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("direct", "# of something", "# of another thing"),
        ("direct", "LIMIT = 3  # of something", "LIMIT   =   (\n    3\n)"),
        ("rule", "What it does", "What it does, and how"),
        ("rule", '"""What it does."""', ""),
        ("indirect", "'''Later.'''", "'''Much later.'''"),
    ],
)
def test_digest__ignores_comments_docstrings_and_layout(package, module, old, new):
    assert code.digest(code.of_job("rule")) == digest_after(package, module, old, new)


@pytest.mark.parametrize(("old", "new"), [("LIMIT = 3", "LIMIT = 4"), ("LIMIT = 3", "LIMIT = '3'")])
def test_digest__changes_with_a_constant(package, old, new):
    assert code.digest(code.of_job("rule")) != digest_after(package, "direct", old, new)


def test_of_job__leaves_out_what_only_runs_and_reports(package):
    (package / "rule.py").write_text(SOURCES["rule"] + "from library.core import logs\n")
    code._read.cache_clear()
    assert "core.logs" not in code.of_job("rule")


def test_digest__does_not_depend_on_where_the_library_is(package, monkeypatch):
    before = code.digest(code.of_job("rule"))
    monkeypatch.setattr(code, "PACKAGE", shutil.copytree(package, package.parent / "elsewhere" / "library"))
    assert code.digest(code.of_job("rule")) == before


def test_of_job__takes_scripts_and_rejects_what_is_not_there(package, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from library import direct\n")
    found = {"script.py", "__init__", "direct", "indirect", "lazy", "started", "behind", "rule", "sub", "sub.nested"}
    assert set(code.of_job(script)) == found
    with pytest.raises(ValueError, match="nowhere"):
        code.of_job("nowhere")


def test_of_files__counts_every_byte(tmp_path):
    path = tmp_path / "mine.smk"
    path.write_text("rule mine:\n")
    before = code.of_files(path)
    path.write_text("rule mine: # edited\n")
    assert before.keys() == code.of_files(path).keys()
    assert before != code.of_files(path)


REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPTS = sorted(path.stem for path in (REPOSITORY / "workflow/scripts").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_of_job__of_every_script_changes_with_code_and_not_with_comments(script, tmp_path, monkeypatch):
    workflow = shutil.copytree(
        REPOSITORY / "workflow", tmp_path / "workflow", ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(code, "PACKAGE", workflow / "instruction_selection")
    root = workflow / "scripts" / f"{script}.py"
    before = code.of_job(root)
    files = {name: root if name == root.name else code._file_of(name) for name in before if not name.endswith(".j2")}
    for line, changes in (("# A comment.\n", False), ("EDITED = 1\n", True)):
        for path in files.values():
            with path.open("a") as handle:
                handle.write(line)
        code._read.cache_clear()
        after = code.of_job(root)
        assert all((before[name] != after[name]) == changes for name in files)
    code._read.cache_clear()
