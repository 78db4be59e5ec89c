"""This workflow as a part of another one, and in a working directory of its own, which needs only its own files."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import Checkout

#: A pool of the working directory, beside entries of the checkout.
POOL = """\
label: Mine
summary: A file in the working directory.
rows:
  source: {kind: folder, folder: data, files: [pool.jsonl]}
  instruction: "{{instruction}}"
  response: "{{response}}"
"""
METHOD = """\
label: Reversed
summary: The last rows first.
reference: An example.
"""
RULE = """\
rule select_{name}:
    input:
        pool=PATHS.pool,
    output:
        PATHS.chosen,
    wildcard_constraints:
        method="{name}",
    shell:
        "tac {{input.pool}} | cut -d '\\"' -f 4 > {{output}}"
"""
#: Another workflow, as snakedeploy writes it.
MODULE = """\
configfile: "config/config.yaml"

module selection:
    snakefile:
        "{snakefile}"
    config:
        config
    {more}

use rule * from selection{renamed}
"""
LINES = """
rule lines:
    input: "results/mine/pools/mine/pool.jsonl"
    output: "lines.txt"
    shell: "wc -l < {input} > {output}"
"""
POOL_FILE = "results/mine/pools/mine/pool.jsonl"


@pytest.fixture(scope="module")
def checkout(fresh, tmp_path_factory) -> Checkout:
    """A checkout that has a method with a rule of its own."""
    copy = Checkout(shutil.copytree(fresh.path, tmp_path_factory.mktemp("modules") / "checkout"))
    add_method(copy.path, "reversed")
    return copy


def add_method(folder: Path, name: str) -> None:
    for path, text in (
        (f"workflow/rules/methods/{name}.smk", RULE.format(name=name)),
        (f"config/methods/{name}.yaml", METHOD.replace("Reversed", name.title())),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@pytest.fixture
def elsewhere(checkout, tmp_path) -> Path:
    """A working directory with a pool, a method by a rule of its own, and an experiment that names both."""
    folder = tmp_path / "elsewhere"
    add_method(folder, "own")
    smoke = (checkout.path / "config/experiments/smoke.yaml").read_text()
    smoke = re.sub(r"^pools:\n(  .*\n|$)*", "pools: {mine: {rows: 40}}\n", smoke, flags=re.MULTILINE)
    smoke = re.sub(r"^methods: \[.*\]$", "methods: [random, reversed, own]", smoke, flags=re.MULTILINE)
    for path, text in (
        ("config/config.yaml", "experiment: mine\n"),
        ("config/experiments/mine.yaml", smoke),
        ("config/pools/mine.yaml", POOL),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    rows = [{"instruction": f"What is {n} plus 1?", "response": f"It is {n + 1}."} for n in range(40)]
    (folder / "data").mkdir()
    (folder / "data/pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)


def planned(result: subprocess.CompletedProcess) -> dict[str, int]:
    assert result.returncode == 0, result.stdout + result.stderr
    return {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)$", result.stdout, re.MULTILINE)}


def import_module(folder: Path, snakefile: str | Path, renamed: str = "", more: str = "") -> None:
    text = MODULE.format(snakefile=snakefile, renamed=renamed, more=more)
    (folder / "workflow/Snakefile").write_text(text)


def test_directory__plans_with_nothing_but_its_own_files(checkout, elsewhere, tmp_path):
    main, standard = (
        planned(snakemake(tmp_path, "--snakefile", str(checkout.path / file), "--directory", str(elsewhere), "-n"))
        for file in ("Snakefile", "workflow/Snakefile")
    )
    assert main == standard
    assert main["select_rows"] > main["select_own"] == main["select_reversed"] == 1
    assert not (tmp_path / "results").exists()


def test_directory__without_any_config_runs_what_the_checkout_would(checkout, tmp_path):
    (tmp_path / "empty").mkdir()
    here = planned(snakemake(checkout.path, "-n"))
    assert here == planned(
        snakemake(tmp_path, "-s", str(checkout.path / "Snakefile"), "--directory", str(tmp_path / "empty"), "-n")
    )


def test_directory__has_the_results_and_the_data(checkout, elsewhere, tmp_path):
    run = ("--snakefile", str(checkout.path / "Snakefile"), "--directory", str(elsewhere))
    chosen = "results/mine/runs/any/mine/any/{}/0.1/seed0/selected.jsonl"
    rows = [chosen.format("own"), chosen.format("reversed")]
    result = snakemake(tmp_path, *run, "--", *rows)
    assert result.returncode == 0, result.stdout + result.stderr
    pool, *selections = ([json.loads(line) for line in (elsewhere / path).open()] for path in (POOL_FILE, *rows))
    assert len(pool) == 40
    assert selections == [pool[:-5:-1]] * 2
    assert not (tmp_path / "results").exists()
    # What decided the selection are the rule's own files, wherever they are.
    assert "Nothing to be done" in snakemake(tmp_path, *run, "-n", "--", *rows).stdout
    rule = elsewhere / "workflow/rules/methods/own.smk"
    rule.write_text(rule.read_text().replace("tac", "cat"))
    again = planned(snakemake(tmp_path, *run, "-n", "--", *rows))
    assert (again["select_own"], again["select_rows"], again.get("select_reversed")) == (1, 1, None)


def test_configfile__chooses_the_experiment(checkout, elsewhere, tmp_path):
    chosen = tmp_path / "chosen.yaml"
    chosen.write_text("experiment: other\n")
    (elsewhere / "config/experiments/mine.yaml").rename(elsewhere / "config/experiments/other.yaml")
    run = ("--snakefile", str(checkout.path / "Snakefile"), "--directory", str(elsewhere), "--configfile", str(chosen))
    assert planned(snakemake(tmp_path, *run, "-n", "--", POOL_FILE.replace("/mine/", "/other/", 1)))["sample_pool"] == 1


@pytest.mark.parametrize("file", ["Snakefile", "workflow/Snakefile"])
def test_module__plans_what_the_workflow_itself_plans(file, checkout, elsewhere):
    expected = planned(snakemake(elsewhere, "--snakefile", str(checkout.path / "Snakefile"), "-n"))
    import_module(elsewhere, checkout.path / file)
    assert planned(snakemake(elsewhere, "-n")) == expected
    import_module(elsewhere, checkout.path / file, renamed=" as selection_*")
    renamed = planned(snakemake(elsewhere, "-n"))
    assert {rule.removeprefix("selection_"): count for rule, count in renamed.items()} == expected
    assert {"selection_select_own", "selection_select_reversed"} <= renamed.keys()
    assert "selection_select_rows" in planned(snakemake(elsewhere, "-n", "--", "selection_select"))


def test_module__runs_its_jobs_in_the_other_workflow(checkout, elsewhere):
    import_module(elsewhere, checkout.path / "workflow/Snakefile", renamed=" as selection_*")
    with (elsewhere / "workflow/Snakefile").open("a") as snakefile:
        snakefile.write(LINES)
    result = snakemake(elsewhere, "--", "lines.txt")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (elsewhere / "lines.txt").read_text().strip() == "40"
    # Messages are those of the other workflow, in Snakemake's own form.
    assert "rule lines:" in result.stdout + result.stderr


def test_module__with_a_prefix_is_rejected(checkout, elsewhere):
    import_module(elsewhere, checkout.path / "Snakefile", more='prefix: "below"')
    result = snakemake(elsewhere, "-n")
    assert result.returncode != 0
    assert "cannot be imported with `prefix`" in result.stdout + result.stderr


def test_module__from_an_address_is_rejected(checkout, elsewhere):
    subprocess.run(["git", "add", "-A"], cwd=checkout.path, check=True)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, "commit", "-qm", "As it is", "--allow-empty"], cwd=checkout.path, check=True)
    subprocess.run(["git", "tag", "-f", "here"], cwd=checkout.path, check=True, capture_output=True)
    import_module(elsewhere, f"git+file://{checkout.path}/workflow/Snakefile@here")
    result = snakemake(elsewhere, "-n")
    assert result.returncode != 0
    assert "clone the repository" in result.stdout + result.stderr
