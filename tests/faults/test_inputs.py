"""Examples without responses, an evaluation with missing samples, an unreachable hub, another commit than named."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from support.running import RESULTS, damage, redone, said, sentence
from support.small import CONFIG

from instruction_selection.core import files

pytestmark = pytest.mark.slow

BASE = f"{RESULTS}/runs/tiny-llama/any/any/base/0/seed0"
#: Where nobody answers.
AWAY = "http://127.0.0.1:9"


def test_target__without_a_response_is_rejected_when_it_is_sampled(copy):
    """Before anything is trained."""
    rows = [{"question": f"{number}?", "answer": ""} for number in range(12)]
    (copy.path / "data").mkdir()
    (copy.path / "data/empty.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = {"kind": "folder", "folder": "data", "files": ["empty.jsonl"]}
    block = {"source": source, "task": "empty", "instruction": "{{ question }}", "response": "{{ answer }}"}
    entry = yaml.safe_load((copy.path / "config/benchmarks/logic.yaml").read_text())
    entry = {key: value for key, value in entry.items() if key not in ("reader", "tasks")}
    entry |= {"label": "Empty", "tasks": ["empty"], "validation": block, "evaluation": block, "shared_source": True}
    (copy.path / "config/benchmarks/empty.yaml").write_text(yaml.safe_dump(entry))
    copy.edit(
        CONFIG,
        "methods:",
        "  empty: {validation_rows: 4, evaluation_rows: 4}\nmethods:",
    )
    rows = f"{RESULTS}/targets/empty/validation.jsonl"
    sentence(copy.snakemake("--", rows), "4 examples are requested, and there are 0")


def test_evaluation__of_fewer_samples_is_rejected(copy, undisturbed):
    """Before the model is loaded."""
    documents = copy.results / "targets/logic/harness/logic-answer.jsonl"
    damage(documents, lambda content: b"".join(content.splitlines(keepends=True)[:-1]))
    (copy.path / f"{BASE}/eval/logic.json").unlink()
    (copy.results / "tables/logic.csv").unlink()
    before = copy.jobs()
    done = copy.snakemake()
    sentence(done, "logic-answer.jsonl: damaged (its SHA-256 is not that in files.json); delete the folder results/")
    assert not (copy.path / f"{BASE}/eval/logic.json").exists()
    for path in documents.parent.iterdir():
        path.unlink()
    documents.parent.rmdir()
    copy.finish()
    assert redone(copy, before) <= {"harness_tasks", "evaluate", "table", "report"}
    assert copy.tables() == undisturbed.tables()


GSM8K = "results/hub/manifests/benchmark/gsm8k-mini.json"


@pytest.fixture
def mini(copy):
    return lambda *arguments, **environment: copy.snakemake(
        "--config", "experiment=mini", "--", *arguments, **environment
    )


def test_hub__that_is_unreachable_is_one_sentence_and_present_files_are_used(copy, mini, small_mirror):
    done = mini(GSM8K, HF_ENDPOINT=AWAY)
    sentence(done, "cannot be fetched without a network: run `snakemake prefetch --config experiment=NAME`")
    assert not (copy.path / GSM8K).exists()
    assert mini(GSM8K, INSTRUCTION_SELECTION_MIRROR=str(small_mirror)).returncode == 0

    harness = "results/mini/targets/gsm8k-mini/validation.jsonl"
    done = mini("--dry-run", harness, HF_ENDPOINT=AWAY)
    assert "rule fetch" not in said(done)

    # A file that is not the one that was fetched any more.
    [name, *_] = [name for part in files.read_json(copy.path / GSM8K).values() for name in part["files"]]
    fetched = copy.path / "results/hub" / name
    content = fetched.read_bytes()
    fetched.unlink()
    fetched.write_bytes(content + b" ")
    sentence(
        mini(harness, HF_ENDPOINT=AWAY),
        f"{name}: this file has changed since it was fetched (its SHA-256 is not that in",
    )


class OtherRevision(BaseHTTPRequestHandler):
    """A hub that has one commit, whatever is asked for."""

    def do_GET(self):
        body = json.dumps({"id": "x/y", "sha": "1" * 40, "siblings": [{"rfilename": "main/train.jsonl"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def other_hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), OtherRevision)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_commit__other_than_the_named_one_is_rejected(copy, mini, other_hub):
    path = copy.path / "config/benchmarks/gsm8k-mini.yaml"
    path.write_text(path.read_text().replace("revision: main", f"revision: '{'0' * 40}'"))
    done = mini(GSM8K, HF_ENDPOINT=other_hub)
    sentence(done, f"commit {'0' * 40} is requested, but the hub returned {'1' * 40}.")
    assert not (copy.path / GSM8K).exists()
