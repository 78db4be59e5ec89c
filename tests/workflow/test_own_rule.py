"""Methods in another language: a rule file, a config file and a name in the experiment."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import Checkout

from .test_docs import follow

LONGEST = "results/smoke/runs/any/reasoning/any/longest/0.1/seed0"
SHARED = "results/smoke/runs/any/reasoning/logic/shared-words/0.1/seed0"

#: One for a target, with a parameter, a script beside it and all that the workflow knows of the cell.
METHOD = """\
label: Shared words
summary: The rows that share most words with some validation row.
reference: An example.
needs: [validation_text]
params:
  # Words of fewer letters do not count.
  letters: 4
"""
RULE = """\
rule select_shared_words:
    input:
        unpack(WIRING.method_inputs),
        pool=PATHS.pool,
    output:
        chosen=PATHS.chosen,
    wildcard_constraints:
        method="shared-words",
    script:
        "shared_words.select.py"
"""
SCRIPT = """\
import json

letters = snakemake.params.settings["method"]["params"]["letters"]


def read(path):
    return [json.loads(line) for line in open(path)]


def words(row):
    return {word for word in row["instruction"].split() if len(word) >= letters}


validation = [words(row) for path in snakemake.input.validation for row in read(path)]
pool = read(snakemake.input.pool)
pool.sort(key=lambda row: -max(len(words(row) & other) for other in validation))
with open(snakemake.output.chosen, "w") as file:
    file.writelines(row["id"] + "\\n" for row in pool)
"""
DECLARED = "def select(*, letters: Count): ...\n"


@pytest.fixture
def checkout(fresh, tmp_path, repository) -> Checkout:
    """The smoke experiment with both methods; nothing has been run."""
    copy = Checkout(shutil.copytree(fresh.path, tmp_path / "copy"))
    follow(repository / "docs/add-a-method.md", copy)
    rules = copy.path / "workflow/rules/methods"
    (copy.path / "config/methods/shared-words.yaml").write_text(METHOD)
    (rules / "shared_words.smk").write_text(RULE)
    (rules / "shared_words.select.py").write_text(SCRIPT)
    (rules / "shared_words.py").write_text(DECLARED)
    copy.edit("config/experiments/smoke.yaml", "methods: [base,", "methods: [longest, shared-words, base,")
    return copy


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.open()]


def test_own_rule__a_selection_is_as_complete_as_any(checkout):
    planned = checkout.planned()
    # The one for no target selects once, and both are trained and evaluated as others are.
    assert (planned["select_longest"], planned["select_shared_words"]) == (1, 2)
    rows = [f"{run}/selected.jsonl" for run in (LONGEST, SHARED, LONGEST.replace("longest", "random"))]
    pages = [f"{LONGEST}/selection.html", f"{SHARED}/selection.html"]
    result = checkout.snakemake("--", *rows, *pages)
    assert result.returncode == 0, result.stdout + result.stderr
    assert all("chose <b>7</b>" in (checkout.path / page).read_text() for page in pages)
    pool = read(checkout.path / "results/smoke/pools/reasoning/pool.jsonl")
    chosen, random = checkout.path / LONGEST, checkout.path / rows[2]
    assert (
        read(chosen / "selected.jsonl") == sorted(pool, key=lambda row: -len(json.dumps(row, ensure_ascii=False)))[:7]
    )
    summary, other = (
        json.loads(path.read_text()) for path in (chosen / "selection.json", random.with_name("selection.json"))
    )
    assert summary.keys() == other.keys()
    assert (summary["selected"], summary["pool_rows"], summary["details"]) == (7, 72, {"listed": 72})
    [validation] = [read(checkout.path / "results/smoke/targets/logic/validation.jsonl")]
    assert len(read(checkout.path / SHARED / "selected.jsonl")) == 7 < len(validation)

    assert checkout.planned("smoke", "--", *rows) == {}
    for path, old, new, again in (
        ("workflow/rules/methods/longest.smk", "-srn", "-sn", {"select_longest": 1, "select_rows": 1}),
        ("workflow/rules/methods/shared_words.select.py", "-max", "-min", {"select_shared_words": 1, "select_rows": 1}),
        ("config/methods/shared-words.yaml", "letters: 4", "letters: 5", {"select_shared_words": 1, "select_rows": 1}),
    ):
        checkout.edit(path, old, new)
        planned = checkout.planned("smoke", "--", rows[0] if "longest" in path else rows[1])
        assert {rule: count for rule, count in planned.items() if rule != "total"} == again
        checkout.edit(path, new, old)


@pytest.mark.slow
def test_own_rule__contract_tests_find_it(checkout):
    contract = [sys.executable, "-m", "pytest", "-q", "tests/contract/test_own_rules.py", "-p", "no:cacheprovider"]
    result = subprocess.run(contract, cwd=checkout.path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert "3 passed" in result.stdout


def test_own_rule__a_line_that_is_no_example_stops_behind_it(checkout):
    checkout.edit("workflow/rules/methods/longest.smk", "> {output}", "> {output}; echo nobody >> {output}")
    result = checkout.snakemake("--", f"{LONGEST}/selected.jsonl")
    assert result.returncode != 0
    [log] = (checkout.path / "results/smoke/logs/select_rows").rglob("*.log")
    assert f"{LONGEST}/chosen.txt: line 73: the pool has no example 'nobody'" in log.read_text()
    assert not (checkout.path / LONGEST / "selected.jsonl").exists()


def test_method__with_neither_module_nor_rule_is_rejected(copy):
    (copy.path / "config/methods/longest.yaml").write_text(METHOD)
    copy.edit("config/experiments/smoke.yaml", "methods: [base,", "methods: [longest, base,")
    result = copy.snakemake("--dry-run")
    assert result.returncode != 0
    assert "method 'longest' has no implementation" in result.stdout + result.stderr
