"""The cheap half of the real workflow, on a config and rows full of shell, Jinja and format strings, with secrets in
the environment: nothing of it runs, nothing is written outside of results/, and no secret is written down."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.checkout import Checkout

INJECTION = (
    "$(touch pwned-dollar); `touch pwned-tick`; touch pwned-semicolon\ntouch pwned-line\n'; touch pwned-quote; '\""
    '; touch pwned-double; " && touch pwned-and | touch pwned-pipe & {input} {wildcards.pool} %s {0.__class__} '
)
#: For keys that are templates of Jinja themselves.
TEMPLATE = INJECTION.replace("{", "(").replace("}", ")")
SECRETS = {"HF_TOKEN": "hf_secretsecretsecret", "WANDB_API_KEY": "wandbsecretsecret"}
TARGETS = [
    *("prefetch", "list", "estimate", "results/guarded/config.resolved.yaml", "results/guarded/pools/mine/pool.jsonl"),
    *("results/guarded/targets/quiz/validation.jsonl", "results/guarded/targets/quiz/harness"),
    *("results/guarded/warmup/tiny-llama/mine/rows.jsonl", "results/guarded/targets/quiz/overlap/mine.json"),
    "results/guarded/runs/any/mine/any/random/0.5/seed0/selection.html",
]


def poisoned(value, template: bool = False):
    """A config entry with the injection added to every text that a schema leaves free."""
    free = {"label", "summary", "license", "caption", "reference"}
    if isinstance(value, dict):
        return {
            # Labels are distinct.
            key: f"{INJECTION}{inner}"
            if key in free
            else TEMPLATE + inner
            if key in ("instruction", "response")
            else poisoned(inner)
            for key, inner in value.items()
        }
    return [poisoned(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def checkout(fresh, tmp_path_factory) -> Checkout:
    folder = tmp_path_factory.mktemp("untrusted")
    path = Path(shutil.copytree(fresh.path, folder / "checkout"))
    rows = [{"q": f"{INJECTION} {{{{7 * 7}}}} {number}", "a": INJECTION, "task": "x"} for number in range(40)]
    (path / "my data").mkdir()
    (path / "my data" / "$(touch pwned-file);.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "my data" / "quiz.jsonl").write_text(
        "".join(json.dumps({**row, "q": f"quiz {row['q']}"}) + "\n" for row in rows)
    )
    block = {"instruction": "{{q}}", "response": "{{a}}", "task": "{{task}}"}

    def source(name: str) -> dict:
        return {"source": {"kind": "folder", "folder": "my data", "files": [name]}, **block}

    quiz = yaml.safe_load((path / "config/benchmarks/logic.yaml").read_text())
    for key in ("reader", "tasks"):
        quiz.pop(key)
    quiz |= {"validation": source("quiz.jsonl"), "evaluation": source("quiz.jsonl"), "shared_source": True}
    smoke = yaml.safe_load((path / "config/experiments/smoke.yaml").read_text())
    smoke |= {
        "pools": {"mine": {"rows": 40}},
        "targets": {"quiz": {"validation_rows": 8, "evaluation_rows": 8}},
        "methods": ["base", "random"],
        "ratios": [0.5],
    }
    smoke["finetune"]["training"]["run_name"] = smoke["warmup"]["training"]["run_name"] = INJECTION
    random = yaml.safe_load((path / "config/methods/random.yaml").read_text())
    model = yaml.safe_load((path / "config/models/tiny-llama.yaml").read_text())
    entries = {
        "experiments/guarded": smoke,
        "pools/mine": {"label": "", "summary": "", "license": "", "rows": source("[$]*.jsonl")},
        "benchmarks/quiz": quiz,
        "methods/random": random,
        "models/tiny-llama": {**model, "license": ""},
    }
    for name, entry in entries.items():
        text = yaml.safe_dump(poisoned(json.loads(json.dumps(entry))), sort_keys=False, allow_unicode=True)
        (path / "config" / f"{name}.yaml").write_text(text)
    return Checkout(path)


def listing(folder: Path) -> set[Path]:
    parts = {"results", ".snakemake", "__pycache__", ".git"}
    return {path for path in folder.rglob("*") if not parts & set(path.relative_to(folder).parts)}


@pytest.fixture(scope="module")
def outcome(checkout, tmp_path_factory) -> tuple[subprocess.CompletedProcess, set[Path]]:
    """What the run said, and which files it made outside of results/ and .snakemake."""
    before = listing(checkout.path.parent)
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--printshellcmds", "--verbose", "--nolock"]
    environment = {**os.environ, **SECRETS, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    result = subprocess.run(
        [*command, "--config", "experiment=guarded", "--", *TARGETS],
        cwd=checkout.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return result, listing(checkout.path.parent) - before


def test_run__succeeds_and_keeps_strings_as_they_were(checkout, outcome):
    result, _ = outcome
    assert result.returncode == 0, result.stdout + result.stderr
    text = (checkout.path / "results/guarded/pools/mine/pool.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert all(INJECTION.strip() in row["response"] and "{{7 * 7}}" in row["instruction"] for row in rows)
    resolved = yaml.safe_load((checkout.path / "results/guarded/config.resolved.yaml").read_text())
    assert resolved["pools"]["mine"]["label"] == INJECTION


def test_strings__run_nothing_and_write_nothing_elsewhere(checkout, outcome):
    assert outcome[1] == set()
    assert not [path for path in checkout.path.rglob("pwned*")]


def test_secrets__are_not_written_down(checkout, outcome):
    result, _ = outcome
    written = [
        path for name in ("results", ".snakemake") for path in (checkout.path / name).rglob("*") if path.is_file()
    ]
    assert len(written) > 20
    for secret in SECRETS.values():
        assert secret not in result.stdout + result.stderr
        assert [path for path in written if secret.encode() in path.read_bytes()] == []
