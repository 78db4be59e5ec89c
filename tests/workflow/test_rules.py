"""Every rule says what it takes, where it logs and what it needs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DIRECTIVES = {"output", "log", "benchmark", "conda", "threads", "resources", "message", "params", "script"}


def rules() -> dict[str, dict[str, str]]:
    """Rule name to directive to text, for every rule that makes something.

    Rules that inherit from another are its variants, and left out; so are names for other rules' outputs, and rules
    that only print.
    """
    found = {}
    for path in sorted((REPOSITORY / "workflow" / "rules").glob("*.smk")):
        for name, body in re.findall(r"^rule (\w+):\n((?:(?: {4}.*)?\n)+)", path.read_text(), re.MULTILINE):
            found[name] = dict(re.findall(r"^ {4}(\w+):((?:.*\n)(?: {8}.*\n)*)", body, re.MULTILINE))
    return {name: directives for name, directives in found.items() if "output" in directives}


RULES = rules()


def test_rules__are_found():
    assert len(RULES) >= 15


@pytest.mark.parametrize("name", RULES)
def test_rule__is_complete(name):
    assert RULES[name].keys() >= DIRECTIVES
    assert "runtime=" in RULES[name]["resources"]
    assert "mem_mb=" in RULES[name]["resources"]


@pytest.mark.parametrize("name", RULES)
def test_inputs__and_outputs_have_names(name):
    for directive in ("input", "output"):
        entries = re.findall(r"^ {8}(\S.*)$", RULES[name].get(directive, ""), re.MULTILINE)
        assert all(re.match(r"\w+=|unpack\(|[)\]}]", entry) for entry in entries), entries


#: Rules whose other params are files and labels, or which choose among files. A change of these is one of the result.
OWN_PARAMS = {
    "predict_memory": set(),
    "pool_gradients": {"shards"},
    "select_rows": {"features", "checkpoints", "reading", "made_with", "implementation"},
    "table": {"cells", "plan", "benchmarks", "methods", "models", "accepted_code"},
    "selection_page": {"features", "checkpoints", "heading"},
    "shared_rows": {"cells"},
    "measure_distances": {"experiment"},
    "report": {"tables", "targets", "selections", "benchmarks"},
}
#: What is fetched is recognised by its hash, and a config that is written out has no code of its own.
WITHOUT_CODE = {"fetch", "resolve_config"}


@pytest.mark.parametrize("name", RULES)
def test_params__are_what_decides_the_result_and_how_it_runs(name):
    params = dict(re.findall(r"^ {8}(\w+)=(.*(?:\n {12}.*)*)", RULES[name]["params"], re.MULTILINE))
    assert params.keys() - OWN_PARAMS.get(name, set()) <= {"settings", "code", "execution"}
    assert ("code" in params) == (name not in WITHOUT_CODE)
    assert "execution(" in params.get("execution", "execution(")
    if name not in {"fetch", *OWN_PARAMS} - {"pool_gradients", "select_rows"}:
        assert "settings_of(" in params["settings"] or "described()" in params["settings"]


@pytest.mark.parametrize("name", RULES)
def test_script__and_environment_exist(name):
    for directive in ("script", "conda"):
        relative = re.search(r'"(.*)"', RULES[name][directive])[1]
        assert (REPOSITORY / "workflow" / "rules" / relative).resolve().is_file()


#: Files of examples that a job writes, and the summaries that record them.
SAMPLED = {
    "PATHS.pool": "pool_summary",
    "PATHS.validation": "target_summary",
    "PATHS.evaluation_rows": "target_summary",
    "PATHS.warmup_rows": "warmup_summary",
    "WIRING.selected_rows": "selected_summary",
    "PATHS.selected": "selection",
    "COMPARED.of_target": "of_target",
}
READS_EXAMPLES = {
    name: {summary for rows, summary in SAMPLED.items() if re.search(rf"{rows}\b", RULES[name].get("input", ""))}
    for name in RULES
}


@pytest.mark.parametrize("name", [name for name, summaries in READS_EXAMPLES.items() if summaries])
def test_rules__that_read_examples_compare_them_with_their_summary(name):
    for summary in READS_EXAMPLES[name]:
        assert re.search(rf"\.{summary}\b", RULES[name]["input"]), summary
    script = re.search(r'"\.\./scripts/(.*)"', RULES[name]["script"])[1]
    assert "recorded.check(" in (REPOSITORY / "workflow/scripts" / script).read_text()


def test_rules__that_read_examples_are_found():
    assert sum(map(bool, READS_EXAMPLES.values())) >= 9


def test_snakemake_lint__finds_nothing():
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_library__never_imports_snakemake():
    for path in (REPOSITORY / "workflow" / "instruction_selection").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(), re.MULTILINE), path


def test_parsing__imports_no_torch():
    """Every job of a cluster run parses the Snakefile again."""
    imports = [
        "import sys",
        "from instruction_selection.experiment import grid, paths",
        "from instruction_selection.core import provenance",
    ]
    code = "\n".join([*imports, "assert 'torch' not in sys.modules"])
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY / "workflow", check=True)
