"""Pools and benchmarks from public files: rows in the sources' own schema, fetched by the code that users run."""

import hashlib
import http.server
import json
import re
import threading
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pytest
from huggingface_hub import HfApi
from support import mirror
from support.rejections import rejected

from instruction_selection.core import example, files
from instruction_selection.data import hub, overlap, sampling
from instruction_selection.experiment import load
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.model import Model
from instruction_selection.experiment.pool import Pool

CONFIG = Path(__file__).resolve().parents[3] / "config"
POOLS = {"flan-cot": 70, "cot": 10, "flan-v2": 10, "infinity-instruct": 18}
#: How many validation and evaluation rows the small mirror has.
BENCHMARKS = {
    "bbh": (81, 108),
    "bbh-likelihood": (81, 108),
    "bbh-mini": (81, 108),
    "gpqa": (3, 7),
    "gsm8k": (12, 6),
    "gsm8k-likelihood": (12, 6),
    "gsm8k-mini": (12, 6),
    "math": (21, 21),
    "mmlu": (12, 12),
}


def drawn(fetched, name: str, validation: int | None = None, evaluation: int | None = None) -> dict[str, list[dict]]:
    entry, manifest = fetched("benchmark", name)
    counts = dict(zip(("validation", "evaluation"), BENCHMARKS[name], strict=True))
    counts |= {"validation": validation} if validation else {}
    counts |= {"evaluation": evaluation} if evaluation else {}
    return sampling.of_benchmark(entry, manifest, counts, seed=0)


def test_entry__that_reads_files_is_here():
    for kind, here in ((Pool, POOLS), (Benchmark, BENCHMARKS)):
        with_files = {name for name in load.names(CONFIG, kind) if load.read_entry(CONFIG, kind, name).sources()}
        # The template `own` reads files of whoever copies it.
        assert with_files - {"own"} == set(here)


@pytest.mark.parametrize("name", POOLS)
def test_pool__has_all_rows_of_its_files_and_no_more(fetched, name):
    entry, manifest = fetched("pool", name)
    read = list(sampling.of_pool(entry, manifest, POOLS[name], seed=0))
    assert len({row["id"] for row in read}) == POOLS[name]
    assert all(set(row) == {"id", "task", "instruction", "response"} for row in read)
    assert all(row["instruction"] and row["response"] for row in read)
    with rejected("too-few-examples"):
        list(sampling.of_pool(entry, manifest, POOLS[name] + 1, seed=0))


def test_sample__is_seeded_and_in_proportion_to_tasks(fetched):
    entry, manifest = fetched("pool", "flan-cot")
    first, again, other = (list(sampling.of_pool(entry, manifest, 35, seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert set(example.counts(first).values()) == {5}


def test_uniform_sample__is_seeded_and_has_tasks_by_chance_and_not_in_proportion(fetched):
    entry, manifest = fetched("pool", "flan-cot")
    entry = {**entry, "rows": {**entry["rows"], "draw": "uniform"}}
    first, again, other = (list(sampling.of_pool(entry, manifest, 35, seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert len({row["id"] for row in first}) == 35
    shares = [example.counts(sampling.of_pool(entry, manifest, 35, seed)) for seed in range(20)]
    assert any(set(counts.values()) != {5} for counts in shares)
    assert {task for counts in shares for task in counts} == set(
        example.counts(sampling.of_pool(entry, manifest, 70, 0))
    )


def test_infinity_instruct__is_drawn_as_in_the_paper():
    assert load.read_entry(CONFIG, Pool, "infinity-instruct").rows.draw == "uniform"


@pytest.mark.parametrize("name", ["bbh", "bbh-mini"])
def test_overlap__is_found_for_a_test_question_that_an_exemplar_asks(fetched, name):
    both = drawn(fetched, name)
    exemplar, question = both["validation"][5], both["evaluation"][7]
    assert not overlap.find(both["evaluation"], {"validation": both["validation"]})["validation"]
    # The question alone is what bbh-mini has as its instruction.
    asked = drawn(fetched, "bbh-mini")["validation"][5]["instruction"]
    assert asked in exemplar["instruction"]
    same = {**question, "instruction": f"  {asked.upper()}"}
    assert overlap.find([same], {"validation": both["validation"]})["validation"] == [(exemplar["id"], question["id"])]


def test_pool_row__is_the_first_turn(fetched):
    row = next(iter(sampling.of_pool(*fetched("pool", "infinity-instruct"), 18, seed=0)))
    assert (row["task"], row["instruction"], row["response"]) == ("flan", "Question 0", "Answer 0")


def test_line_breaks__and_quotation_marks_of_flan(fetched):
    row = next(iter(sampling.of_pool(*fetched("pool", "flan-cot"), 70, seed=0)))
    assert row["instruction"] == 'Is "aqua" 0?\nOptions:\n- yes\n- no'
    assert row["response"] == 'It "is 0. So the answer is yes.'


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark__has_all_rows_of_its_files_and_no_more(fetched, name):
    both = drawn(fetched, name)
    assert tuple(map(len, both.values())) == BENCHMARKS[name]
    for split in both.values():
        assert len({row["id"] for row in split}) == len(split)
        assert all(row["instruction"] and row["response"] for row in split)
    with rejected("too-few-examples"):
        drawn(fetched, name, evaluation=BENCHMARKS[name][1] + 1)


def test_rows__of_one_source_are_for_validation_or_for_evaluation(fetched):
    both = drawn(fetched, "gpqa")
    assert not {row["id"] for row in both["validation"]} & {row["id"] for row in both["evaluation"]}


def test_subset__has_every_subtask_equally(fetched):
    assert set(example.counts(drawn(fetched, "bbh-mini", evaluation=54)["evaluation"]).values()) == {2}


@pytest.mark.parametrize("name", ["gpqa", "mmlu"])
def test_response__is_the_letter_of_the_right_choice(fetched, name):
    for row in drawn(fetched, name)["evaluation"]:
        record = row["record"]
        right = record["Correct Answer"].strip() if name == "gpqa" else record["choices"][record["answer"]]
        letter = row["response"].strip("()")
        assert re.search(rf"^\(?{letter}[).] {re.escape(right)}$", row["instruction"], re.MULTILINE)
        assert row["instruction"].endswith("\nAnswer:")


def test_order_of_choices__is_not_always_the_same(fetched):
    assert len({row["response"] for row in drawn(fetched, "gpqa")["evaluation"]}) > 1


def test_responses__are_what_the_model_should_answer(fetched):
    assert drawn(fetched, "gsm8k")["evaluation"][0]["response"] == "0+4=<<0+4=4>>4\n#### 4"
    assert drawn(fetched, "gsm8k-mini")["evaluation"][0]["response"] == "0+4=4\n#### 4"
    assert drawn(fetched, "math")["evaluation"][0]["response"] == "It is $\\boxed{1}$."
    exemplars = drawn(fetched, "bbh")["validation"]
    assert all("the answer is" in row["response"] for row in exemplars)
    assert all(row["instruction"].endswith("A: Let's think step by step.") for row in exemplars)


def test_column__that_is_not_there_is_named(fetched, tmp_path):
    entry, manifest = fetched("benchmark", "gsm8k")
    layout = {**entry["validation"], "instruction": "{{questoin}}"}
    paths = hub.paths(layout["source"], manifest, "validation")
    with rejected("template-does-not-fit", path="train-00000-of-00001.parquet", key="record 0"):
        list(sampling.draw(layout, paths, 1, 0))


def test_rows__that_occur_twice_have_two_ids(tmp_path):
    files.write_jsonl(tmp_path / "rows.jsonl", [{"q": "a"}] * 3)
    layout = {
        **{"task": "t", "instruction": "{{q}}", "response": "b", "overlap_text": None},
        **{"member": None, "columns": None, "key": None, "draw": "by_task", "control_tokens": "drop"},
    }
    read = list(sampling.draw(layout, [tmp_path / "rows.jsonl"], 3, 0))
    assert [row["id"].partition("-")[2] for row in read] == ["", "2", "3"]


def test_mirror__is_linked_to_for_named_files_only(fetched, small_mirror, tmp_path):
    _, manifest = fetched("benchmark", "gsm8k")
    listed = [file for source in files.read_json(manifest).values() for file in source["files"]]
    assert set(listed) == {f"datasets/openai/gsm8k/main/{split}-00000-of-00001.parquet" for split in ("train", "test")}
    for file in listed:
        assert (tmp_path / "cache" / file).resolve() == small_mirror / file


def test_cache__is_a_mirror(fetched, tmp_path):
    entry, manifest = fetched("pool", "infinity-instruct")
    other = tmp_path / "other" / "manifests" / "pool" / "infinity-instruct.json"
    hub.fetch({"rows": entry["rows"]["source"]}, other, tmp_path / "cache")
    assert other.read_bytes() == manifest.read_bytes()


def test_cache__that_is_its_own_mirror_stays_unchanged(fetched, tmp_path):
    entry, manifest = fetched("pool", "infinity-instruct")
    before = manifest.read_bytes()
    hub.fetch({"rows": entry["rows"]["source"]}, manifest, tmp_path / "cache")
    assert manifest.read_bytes() == before
    assert all(path.is_file() for path in hub.paths(entry["rows"]["source"], manifest, "rows"))


@pytest.fixture
def server(small_mirror, monkeypatch):
    """The mirror behind the hub's own protocol, and as plain files; yields its address."""
    revision = "0123456789abcdef0123456789abcdef01234567"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            api = re.fullmatch(r"/api/(datasets/[^/]+/[^/]+)/revision/main", self.path)
            if api:
                folder = small_mirror / api[1]
                names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
                siblings = [{"rfilename": name} for name in names]
                return self.answer(json.dumps({"id": api[1], "sha": revision, "siblings": siblings}).encode())
            path = small_mirror / unquote(self.path).lstrip("/").replace(f"resolve/{revision}/", "")
            return self.answer(path.read_bytes()) if path.is_file() else self.send_error(404)

        do_HEAD = do_GET

        def answer(self, content: bytes):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", revision)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{listening.server_port}"
        monkeypatch.setattr("huggingface_hub.HfApi", partial(HfApi, endpoint=address))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield address
        listening.shutdown()


@pytest.mark.parametrize("name", ["infinity-instruct", "cot"])
def test_hub__and_a_mirror_give_the_same(fetched, server, tmp_path, name):
    entry, manifest = fetched("pool", name)
    other = tmp_path / "other" / "manifests" / "pool" / f"{name}.json"
    hub.fetch({"rows": entry["rows"]["source"]}, other, None)
    assert other.read_bytes() == manifest.read_bytes()
    assert list(sampling.of_pool(entry, other, 10, 0)) == list(sampling.of_pool(entry, manifest, 10, 0))


def test_address__and_a_mirror_give_the_same_files(small_mirror, server, tmp_path):
    source = {"kind": "url", "url": f"{server}/{mirror.FLAN}", "files": ["aqua_train.tsv", "creak_train.tsv"]}
    manifest = tmp_path / "cache" / "manifests" / "pool" / "p.json"
    hub.fetch({"rows": source}, manifest, None)
    for path in hub.paths(source, manifest, "rows"):
        assert path.read_bytes() == (small_mirror / mirror.FLAN / path.name).read_bytes()


@pytest.mark.parametrize("kind", ["hub", "url"])
def test_file__in_the_wrong_place_is_named(server, tmp_path, kind):
    where = {"url": f"{server}/{mirror.FLAN}", "repository": "datasets/openai/gsm8k", "revision": "main"}
    with rejected({"hub": "no-such-file", "url": "http-error"}[kind]) as caught:
        hub.fetch({"rows": {"kind": kind, **where, "files": ["wrong.txt"]}}, tmp_path / "c/manifests/pool/p.json", None)
    assert "wrong.txt" in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "configured", "used"),
    [(None, None, None), (None, "/a", Path("/a")), ("/b", "/a", Path("/b")), ("/b", None, Path("/b"))],
)
def test_environment__goes_before_the_experiment(monkeypatch, environment, configured, used):
    monkeypatch.setattr("os.environ", {hub.MIRROR: environment} if environment else {})
    assert hub.prepare_jobs(configured) == hub.mirror_folder() == used
    assert hub.os.environ["HF_HUB_OFFLINE"] == "1"


def test_file__that_the_mirror_lacks_is_named(tmp_path):
    source = {"kind": "hub", "repository": "datasets/a/b", "revision": "main", "files": ["x/*.parquet"]}
    with rejected("no-such-file", path="datasets/a/b"):
        hub.fetch({"rows": source}, tmp_path / "cache/manifests/pool/p.json", tmp_path)
    assert not (tmp_path / "cache/manifests").exists()


def test_file__that_disappeared_is_named(fetched, tmp_path):
    entry, manifest = fetched("pool", "cot")
    (tmp_path / "cache/datasets/princeton-nlp/less_data/less-data.zip").unlink()
    with rejected("fetched-file-missing", path="less-data.zip"):
        sampling.of_pool(entry, manifest, 1, 0)


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "hub", "repository": "datasets/a/b", "revision": "main", "files": ["x"]},
        # Port 9 is `discard`: nobody listens.
        {"kind": "url", "url": "http://127.0.0.1:9/a", "files": ["x"]},
    ],
    ids=["hub", "url"],
)
def test_fetch__says_what_to_do_without_a_network(source, tmp_path):
    with rejected("no-network"):
        hub.fetch({"rows": source}, tmp_path / "cache/manifests/pool/p.json", None)


def test_gated_source__needs_a_login_unless_there_is_a_mirror(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    sources = {"source": load.read_entry(CONFIG, Model, "llama-3.1-8b").source.plain()}
    with rejected("gated", path="config/x.yaml"):
        hub.reject_if_gated("config/x.yaml", sources, None)
    hub.reject_if_gated("config/x.yaml", sources, tmp_path)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "secret")
    hub.reject_if_gated("config/x.yaml", sources, None)
