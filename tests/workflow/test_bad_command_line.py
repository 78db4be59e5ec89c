"""A wrong word on the command line, or a file that Snakemake itself would misread: one sentence, before any job."""

import shutil

import pytest
from support.checkout import Checkout


@pytest.fixture(scope="module")
def checkout(fresh, tmp_path_factory) -> Checkout:
    return Checkout(shutil.copytree(fresh.path, tmp_path_factory.mktemp("command line") / "checkout"))


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("experiment=../x", "experiment '../x': names "),
        ("experiment=", "experiment '': names "),
        ("experiment=$(touch pwned)", "experiment '$(touch pwned)': names "),
        ("experiment=1e3", "no experiment '1000.0': "),
        ("experiment=[smoke]", """experiment "['smoke']": names """),
        (
            "experiment=smok",
            "no experiment 'smok': config/experiments/smok.yaml does not exist (did you mean 'smoke'?).",
        ),
        ("ratios=[0.5]", "--config: unknown key 'ratios'; only `experiment` and `draw` are chosen here."),
        ("draw=0", "draw: 0 is not a whole number"),
        ("draw=two", "draw: 'two' is not a whole number"),
    ],
)
def test_choice__is_rejected_if_it_is_wrong(checkout, argument, expected):
    rejected(checkout, expected, argument)


def test_key__given_twice_is_rejected(checkout):
    path = checkout.path / "config/experiments/smoke.yaml"
    text = path.read_text()
    try:
        path.write_text(text + "ratios: [0.2]\n")
        first = text.splitlines().index("ratios: [0.1]") + 1
        last = len(text.splitlines()) + 1
        output = rejected(checkout, f"config/experiments/smoke.yaml: line {last}: key 'ratios' ", "experiment=smoke")
        assert f"line {first}." in output
    finally:
        path.write_text(text)


def test_experiment__must_be_chosen(checkout):
    path = checkout.path / "config/config.yaml"
    text = path.read_text()
    try:
        path.write_text("{}\n")
        rejected(checkout, "experiment '': names ", "experiment=")
    finally:
        path.write_text(text)


def rejected(checkout: Checkout, expected: str, argument: str) -> str:
    """What the run said."""
    result = checkout.snakemake("--dry-run", "--config", argument)
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert expected in output
    assert "Traceback" not in output
    assert not (checkout.path / "results").exists()
    assert not (checkout.path / "pwned").exists()
    return output
