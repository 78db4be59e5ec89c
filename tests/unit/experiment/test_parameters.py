"""Parameters of methods are declared by their code and checked against it when the configuration is read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from support.rejections import rejected

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import load, own_rules, parameters

from .conftest import MISSING

REPOSITORY = Path(__file__).resolve().parents[3]
DEMO = "experiments/demo.yaml"
SIGNATURE = """\
import not_installed

def helper(*, other: int): ...

def select(inputs, budget, rng, *, {}): ...
"""


def declare(tmp_path: Path, arguments: str):
    (tmp_path / "own.py").write_text(SIGNATURE.format(arguments))
    return parameters.declared(tmp_path / "own.py")


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        ("Count", [1, 7], [0, 1.0, True, "1", None]),
        ("Share", [0, 0.5, 1], [-0.1, 1.1, float("nan"), "0.5"]),
        ("ProperShare", [0.5], [0, 1, 1.0]),
        ("bool", [True], [0, "no"]),
        ("ProperShare | Count", [0.5, 3], [0, 1.5, -1]),
        ("Count | None", [None, 2], [0]),
        ("Literal['mean', 'max']", ["max"], ["maximum", 1]),
        ("Annotated[float, Field(gt=0, lt=10)]", [9.5], [0, 10]),
    ],
)
def test_declared__type_says_what_is_allowed(tmp_path, annotation, good, bad):
    kind = declare(tmp_path, f"x: {annotation}")
    for value in good:
        assert kind.model_validate({"x": value})
    for value in bad:
        with pytest.raises(ValidationError):
            kind.model_validate({"x": value})
    with pytest.raises(ValidationError):
        kind.model_validate({})


def test_declared__default_may_be_left_out(tmp_path):
    kind = declare(tmp_path, "x: Count = 3, y: bool")
    assert kind.model_validate({"y": True}).plain() == {"x": 3, "y": True}


@pytest.mark.parametrize("argument", ["x", "x: np.ndarray", "x: Cuont", "x: Count = len('a')", "x: list[int]"])
def test_declared__unreadable_argument_is_named(tmp_path, argument):
    with rejected("unreadable-parameter", path="own.py", key="x"):
        declare(tmp_path, argument)


def test_declared__file_that_is_not_python_is_named(tmp_path):
    with rejected("not-python", path="own.py"):
        declare(tmp_path, "x: int = ")


@pytest.mark.parametrize(
    ("name", "key", "value", "code"),
    [
        pytest.param("g2is", "params.delta", MISSING, "missing-key", id="missing"),
        pytest.param("g2is", "params.delta", -5, "out-of-range", id="out of range"),
        pytest.param("g2is", "params.delta", "0.8", "wrong-type", id="text for a number"),
        pytest.param("g2is", "params.variance", 1, "out-of-range", id="all variance, which scikit-learn takes for 1"),
        pytest.param("g2is", "params.count", 0.5, "unknown-key", id="another method's"),
        pytest.param("g2is-variance-0.1", "params.foo", 1, "unknown-key", id="of a shared implementation"),
        pytest.param("g2is-official", "params.neighbours", 1.5, "wrong-type", id="fraction"),
        pytest.param("gist", "params.rank", 0, "out-of-range", id="neither share nor number"),
        pytest.param("tagcos", "params.corrected", 0, "wrong-type", id="0 for false"),
        pytest.param("less", "params", {"delta": 0.8}, "unknown-key", id="method without any"),
        pytest.param("base", "params", {"delta": 0.8}, "unknown-key", id="control without code"),
    ],
)
def test_parameter__is_rejected_by_file_and_key(folder, name, key, value, code):
    folder.choose(name)
    folder.set(DEMO, "gradients.pool_kinds", ["adam", "sgd"])
    folder.set(f"methods/{name}.yaml", key, value)
    with rejected(code, path=f"config/methods/{name}.yaml") as caught:
        load.load(folder.path, "demo")
    assert caught.value.key == (f"{key}.delta" if key == "params" else key)


def test_parameter__misspelt_is_corrected(folder):
    folder.choose("g2is")
    folder.replace("methods/g2is.yaml", "  delta:", "  detla:")
    with pytest.raises(InputError, match="did you mean 'delta'"):
        load.load(folder.path, "demo")


def test_parameter__of_a_rule_of_its_own(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(own_rules, "FOLDERS", (tmp_path,))
    folder.choose("less")
    folder.set("methods/less.yaml", "params", {"rows": 0})
    (tmp_path / "less.smk").write_text("rule longest: ...")
    with rejected("unknown-key", path="methods/less.yaml", key="params.rows"):
        load.load(folder.path, "demo")
    (tmp_path / "less.py").write_text("def select(*, rows: Count, least: Share = 0.5): ...")
    with rejected("out-of-range", path="methods/less.yaml", key="params.rows"):
        load.load(folder.path, "demo")
    folder.set("methods/less.yaml", "params", {"rows": 2})
    assert load.load(folder.path, "demo").methods["less"].params == {"rows": 2, "least": 0.5}


def test_load__imports_nothing_that_takes_seconds():
    script = f"""
import json, sys
sys.path.insert(0, {str(REPOSITORY / "workflow")!r})
from instruction_selection.experiment import load
load.load({str(REPOSITORY / "config")!r}, "paper")
print(json.dumps([name for name in ("numpy", "numba", "torch", "transformers", "lm_eval") if name in sys.modules]))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == []
