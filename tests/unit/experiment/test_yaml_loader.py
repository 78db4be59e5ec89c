"""What no config file may be, and what YAML 1.1 would read differently."""

import pytest
from support.rejections import rejected

from instruction_selection.experiment import load, yaml_loader

BOMB = "".join(f"{n}: &{n} [{f'*{p}, ' * 99}]\n" for n, p in zip("bcdefg", "abcdef", strict=True)).replace("*a", "1")


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "yaml-duplicate", "line 3", id="key twice"),
        pytest.param("x:\n  a: 1\n  'a': 2\n", "yaml-duplicate", "line 3", id="key below"),
        pytest.param("a: {<<: {b: 1}, <<: {c: 1}}", "yaml-duplicate", "line 1", id="merge"),
        pytest.param("a: &a [*a]", "yaml-cycle", "line 1", id="cycle"),
        pytest.param("a: &a {b: {c: *a}}", "yaml-cycle", "line 1", id="longer cycle"),
        pytest.param(BOMB, "yaml-size", "line 1", id="aliases of aliases"),
        pytest.param("a: " + "[" * 5000, "yaml-depth", None, id="deep"),
        pytest.param("a:\n- .nan", "yaml-infinite", "line 2", id="not a number"),
        pytest.param("a: -.inf", "yaml-infinite", "line 1", id="infinity"),
        pytest.param("a: 1e999", "yaml-infinite", "line 1", id="number too large"),
        pytest.param("7: a", "yaml-key", "line 1", id="number as key"),
        pytest.param("on: a", "yaml-key", "line 1", id="switch as key"),
        pytest.param("? [1]\n: a", "yaml-key", "line 1", id="list as key"),
        pytest.param("a: 2026-13-01", "yaml-tag", None, id="no date"),
        pytest.param("a: !!int x", "yaml-tag", None, id="wrong tag"),
        pytest.param("a: !!python/object/apply:os.getcwd []", "yaml-syntax", "line 1", id="Python object"),
        pytest.param("b: 1\na: !function x.y", "yaml-syntax", "line 2", id="tag of lm-eval"),
        pytest.param("--- 1\n--- 2\n", "yaml-syntax", "line 2", id="two documents"),
        pytest.param("a: *b", "yaml-syntax", "line 1", id="unknown alias"),
        pytest.param("a:\n\t- b", "yaml-syntax", "line 2", id="tab"),
        pytest.param("a: \x00", "yaml-syntax", None, id="control character"),
    ],
)
def test_file__is_rejected(tmp_path, text, code, key):
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    with rejected(code, path=path, key=key) as caught:
        yaml_loader.read(path)
    assert caught.value.key == key


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark__is_understood(tmp_path, encoding):
    (tmp_path / "file.yaml").write_text("summary: Ärger\n", encoding=encoding)
    assert yaml_loader.read(tmp_path / "file.yaml") == {"summary": "Ärger"}


def test_latin_1__is_rejected(tmp_path):
    (tmp_path / "file.yaml").write_text("summary: Ärger\n", encoding="latin-1")
    with rejected("yaml-syntax", path=tmp_path / "file.yaml"):
        yaml_loader.read(tmp_path / "file.yaml")


def test_syntax_error__does_not_show_the_line_with_its_password(tmp_path):
    (tmp_path / "file.yaml").write_text("url: https://user:hunter2@example.org: [\n")
    with rejected("yaml-syntax", key="line 1") as caught:
        yaml_loader.read(tmp_path / "file.yaml")
    assert "hunter2" not in str(caught.value)


def test_merged_key__may_be_given_again(tmp_path):
    (tmp_path / "file.yaml").write_text("a: &a {b: 1, c: 1}\nd: {<<: *a, b: 2}\n")
    assert yaml_loader.read(tmp_path / "file.yaml") == {"a": {"b": 1, "c": 1}, "d": {"b": 2, "c": 1}}


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "1.e-4", "1.0e-4", "0.0001", ".1e-3", "+1e-4", "10e-5"])
def test_number__is_one_however_it_is_written(folder, text):
    folder.replace("training/finetune.yaml", "learning_rate: 2.0e-5", f"learning_rate: {text}")
    # Of the file: the demo has a learning rate of its own.
    folder.replace("experiments/demo.yaml", "    learning_rate: 1.0e-4\n", "")
    assert load.load(folder.path, "demo").training["finetune"].learning_rate == pytest.approx(1e-4, rel=1e-12)
