"""The project's experiments, and a copy of its configuration that a test may break."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from instruction_selection.experiment import load
from instruction_selection.experiment.wiring import Wiring

CONFIG = Path(__file__).resolve().parents[3] / "config"
#: As a value: the key is removed.
MISSING = object()


class Folder:
    """A config folder."""

    def __init__(self, path: Path):
        self.path = path

    def set(self, file: str, key: str, value: object) -> None:
        """Set a dotted key of a file, or remove it if the value is `MISSING`."""
        content = yaml.safe_load((self.path / file).read_text(encoding="utf-8"))
        content = json.loads(json.dumps(content))  # an anchor and its alias are one object until here
        *parents, last = key.split(".")
        inner = content
        for parent in parents:
            inner = inner[int(parent) if isinstance(inner, list) else parent]
        inner[last] = value
        if value is MISSING:
            del inner[last]
        (self.path / file).write_text(yaml.safe_dump(content), encoding="utf-8")

    def choose(self, *methods: str) -> None:
        """Have the demo compare these methods only."""
        self.set("experiments/demo.yaml", "methods", list(methods))
        self.set("experiments/demo.yaml", "seeds_of", {})

    def replace(self, file: str, old: str, new: str) -> None:
        text = (self.path / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} has {text.count(old)} of {old!r}"
        (self.path / file).write_text(text.replace(old, new), encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        (self.path / file).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def smoke(repository) -> Wiring:
    return Wiring(load.load(repository / "config", "smoke"))


@pytest.fixture(scope="module")
def paper(repository) -> Wiring:
    return Wiring(load.load(repository / "config", "paper"))


@pytest.fixture(params=["smoke", "paper"])
def wiring(request) -> Wiring:
    return request.getfixturevalue(request.param)


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(Path(shutil.copytree(CONFIG, tmp_path / "config")))


@pytest.fixture
def with_files(folder) -> Folder:
    """The demo with a pool and a benchmark that are read from files."""
    folder.replace("experiments/demo.yaml", "\ntargets:\n", "\n  public: {rows: 9999}\ntargets:\n")
    exam = "\ntargets:\n  exam: {validation_rows: 9, evaluation_rows: 9}\n"
    folder.replace("experiments/demo.yaml", "\ntargets:\n", exam)
    folder.write("pools/public.yaml", POOL)
    folder.write("benchmarks/exam.yaml", EXAM)
    return folder


POOL = """\
label: Public
summary: Rows of an address.
rows:
  source: {kind: url, url: https://example.org/data, files: [a.jsonl]}
  instruction: "{{q}}"
  response: "{{a}}"
"""
EXAM = """\
label: Exam
summary: Rows of the hub.
validation: &rows
  source: {kind: hub, repository: datasets/some/where, revision: main, files: [a.jsonl]}
  instruction: "{{q}}"
  response: "{{a}}"
evaluation: *rows
harness:
  cot:
    include: gsm8k/gsm8k.yaml
metrics:
  - {name: exact_match, task: cot, filter: strict-match, label: Exact match}
"""
