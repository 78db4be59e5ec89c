"""A wrong configuration is refused before any job starts, in one sentence that names the file and the key."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from instruction_selection import config
from instruction_selection.errors import InputError

CONFIG = Path(__file__).resolve().parents[2] / "config"
SCHEMAS = sorted(config.SCHEMAS.glob("*.schema.yaml"))
MISSING = object()

DEMO = "experiments/demo.yaml"
GSM = "benchmarks/gsm-symbolic.yaml"
TINY = "models/tiny-llama.yaml"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def edit(folder: Path, file: str, key: str, value: object) -> None:
    """Set a dotted key of a config file, or remove it if the value is `MISSING`."""
    content = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
    content = json.loads(json.dumps(content))  # an anchor and its alias are one object until here
    *parents, last = key.split(".")
    inner = content
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    if value is MISSING:
        del inner[last]
    (folder / file).write_text(yaml.safe_dump(content), encoding="utf-8")


def choose_methods(folder: Path, names: list[str]) -> None:
    """The demo with other methods, whose seeds are the experiment's."""
    edit(folder, DEMO, "methods", names)
    edit(folder, DEMO, "seeds_of", {})


def refusal(folder: Path, file: str, experiment: str = "demo") -> str:
    """The sentence with which an experiment is refused, without the folder's own path."""
    with pytest.raises(InputError) as caught:
        config.load(folder, experiment)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert str(folder / file) in sentence
    sentence = sentence.replace(str(folder), "config")
    assert len(sentence) < 320
    return sentence


@pytest.mark.parametrize(
    ("file", "key", "value", "named"),
    [
        pytest.param(DEMO, "methods", ["base", "les"], ["'les'", "did you mean 'less'?"], id="unknown method"),
        pytest.param(DEMO, "methods", [], ["methods"], id="no methods"),
        pytest.param(
            DEMO,
            "gpus",
            {"training": 3},
            ["gpus.training", "effective_batch: 8 is not a multiple of 6"],
            id="batch of 8",
        ),
        pytest.param(
            DEMO, "finetune.training.effective_batch", 3, ["finetune", "3 is not a multiple of 2"], id="odd batch"
        ),
        pytest.param(
            DEMO,
            "warmup.training.gradient_accumulation_steps",
            2,
            ["warmup.training.gradient_accumulation_steps", "follows from effective_batch"],
            id="accumulation",
        ),
        pytest.param("training/finetune.yaml", "effective_batch", MISSING, ["'effective_batch'"], id="no batch"),
        pytest.param(
            DEMO, "methods", ["random", "random-size-matched"], ["'g2is', which is not listed"], id="size of nothing"
        ),
        pytest.param(
            "methods/random-size-matched.yaml", "sized_like", "full", ["'full' is fixed"], id="size that is fixed"
        ),
        pytest.param(DEMO, "nodes", {"training": 2}, ["nodes.training", "gpus.training is 0"], id="nodes without GPUs"),
        pytest.param(DEMO, "evaluation", {"backend": "vllm"}, ["gpus.evaluation is 0"], id="vLLM without a GPU"),
        pytest.param(
            DEMO,
            "finetune.training.deepspeed",
            "zero9.json",
            ["zero9.json does not exist"],
            id="missing DeepSpeed file",
        ),
        pytest.param(DEMO, "methods", ["base", "base"], ["methods", "'base'"], id="duplicate methods"),
        pytest.param(DEMO, "methods", ["../methods/base"], ["'../methods/base'"], id="path for a name"),
        pytest.param(DEMO, "methods", [7], ["methods.0", "7"], id="number for a name"),
        pytest.param(DEMO, "models", ["any"], ["'any'", "reserved"], id="reserved name"),
        pytest.param(DEMO, "models", ["llama-405b"], ["'llama-405b'", "models/llama-405b.yaml"], id="no such model"),
        pytest.param(DEMO, "models", MISSING, ["models"], id="no models"),
        pytest.param(DEMO, "encoder", None, ["encoder", "'sbert'"], id="no encoder for embeddings"),
        pytest.param(DEMO, "encoder", "minilm", ["encoder", "'minilm'"], id="no such encoder"),
        pytest.param(DEMO, "ratios", [0], ["ratios.0", "0"], id="ratio 0"),
        pytest.param(DEMO, "ratios", [0.5, 1], ["ratios.1", "1"], id="ratio 1"),
        pytest.param(DEMO, "ratios", [1.5], ["ratios.0", "1.5"], id="ratio above 1"),
        pytest.param(DEMO, "ratios", ["10%"], ["ratios.0", "'10%'"], id="ratio in words"),
        pytest.param(DEMO, "ratios", [], ["ratios"], id="no ratio for methods that take one"),
        pytest.param(DEMO, "seeds", [-1], ["seeds.0", "-1"], id="negative seed"),
        pytest.param(DEMO, "seeds", [3, 3], ["seeds", "[3, 3]"], id="duplicate seeds"),
        pytest.param(DEMO, "seeds", [1.0], ["seeds.0", "1.0"], id="seed with a decimal point"),
        pytest.param(DEMO, "seeds", [-1] * 500, ["seeds"], id="long list"),
        pytest.param(DEMO, "pools.reasoning.rows", 0, ["pools.reasoning.rows", "0"], id="no rows"),
        pytest.param(DEMO, "pools", {7: {"rows": 9}}, ["key is text", "'7'"], id="number for a pool"),
        pytest.param(DEMO, "pools", {}, ["pools"], id="no pools"),
        pytest.param(DEMO, "targets.logic.evaluation_rows", MISSING, ["targets.logic", "evaluation_rows"], id="size"),
        pytest.param(DEMO, "gradients.precision", "fp64", ["gradients.precision", "'fp64'", "'bf16'"], id="precision"),
        pytest.param(DEMO, "method", ["less"], ["'method'", "did you mean 'methods'?"], id="misspelt key"),
        pytest.param(DEMO, "gradients.shard", 4, ["'shard' in gradients", "'shards'?"], id="misspelt nested key"),
        pytest.param(DEMO, "pools.reasoning", {"row": 9}, ["'row'", "'rows'?"], id="misspelt required key"),
        pytest.param(
            DEMO, "finetune.training.output_dir", "/x", ["finetune.training.output_dir"], id="owned, fine-tune"
        ),
        pytest.param(DEMO, "warmup.training.seed", 3, ["warmup.training.seed"], id="owned, warm-up"),
        pytest.param("training/warmup.yaml", "output_dir", "/x", ["output_dir"], id="owned, in training"),
        pytest.param("methods/less.yaml", "needs", ["gradients"], ["needs.0", "'gradients'"], id="unknown need"),
        pytest.param("methods/random.yaml", "ratio", 2, ["ratio", "2"], id="method's ratio"),
        pytest.param("pools/reasoning.yaml", "reader", "csv", ["reader 'csv'"], id="pool's reader"),
        pytest.param("pools/reasoning.yaml", "reader", "../files", ["reader", "'../files'"], id="reader outside"),
        pytest.param(GSM, "reader", "reasoning-gim", ["reader 'reasoning-gim'"], id="benchmark's reader"),
        pytest.param(GSM, "harness", MISSING, ["'harness'"], id="no harness"),
        pytest.param(
            GSM, "harness.likelihood.doc_to_text", MISSING, ["harness.likelihood", "'doc_to_text'"], id="no question"
        ),
        pytest.param(GSM, "metrics", [], ["metrics"], id="no metrics"),
    ],
)
def test_a_wrong_value_is_refused_by_file_and_key(folder, file, key, value, named):
    edit(folder, "experiments/demo.yaml", "models", ["tiny-llama"])
    edit(folder, file, key, value)
    sentence = refusal(folder, file)
    for part in named:
        assert part in sentence


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        pytest.param("source.kind", "hug", ["'gguf-package', 'random', 'hub'"], id="unknown kind"),
        pytest.param("source.kind", MISSING, ["'gguf-package', 'random'"], id="no kind"),
        pytest.param("source", "/weights", ["'gguf-package', 'random'"], id="path for a mapping"),
        pytest.param("source.seed", MISSING, ["source", "'seed'", "kind 'random'"], id="missing key"),
        pytest.param("source.seed", -1, ["source.seed", "-1", "kind 'random'"], id="wrong value"),
        pytest.param("source.sed", 0, ["'sed' in source", "'seed'?"], id="misspelt key"),
        pytest.param("source.tokenizer.fil", "x", ["'fil' in source.tokenizer", "'file'?"], id="misspelt deeper"),
    ],
)
def test_a_model_source_is_judged_by_the_kind_it_has(folder, key, value, named):
    edit(folder, TINY, key, value)
    sentence = refusal(folder, TINY, "smoke")
    assert "model_type" not in sentence
    for part in named:
        assert part in sentence


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b"summary: [unclosed", "YAML", id="invalid YAML"),
        pytest.param(b"summary: caf\xe9", "YAML", id="not UTF-8"),
        pytest.param(b"- summary\n- models\n", "object", id="a list"),
        pytest.param(b"", "required", id="empty"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(folder, content, named):
    (folder / DEMO).write_bytes(content)
    assert named in refusal(folder, DEMO)


def test_a_missing_experiment_is_refused_with_those_there_are(folder):
    assert "known: demo, " in refusal(folder, "experiments/zzz.yaml", "zzz")


@pytest.mark.parametrize("name", ["../demo", "any", "Demo", "", "demo\n", 5, None])
def test_a_wrong_name_of_an_experiment_is_refused(folder, name):
    with pytest.raises(InputError) as caught:
        config.load(folder, name)
    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_method_without_code_is_refused(folder):
    shutil.copy(folder / "methods/random.yaml", folder / "methods/my-own.yaml")
    choose_methods(folder, ["my-own"])
    sentence = refusal(folder, "methods/my-own.yaml")
    assert "method 'my-own'" in sentence
    assert "methods/my_own.py" in sentence


def test_a_method_may_share_the_code_of_another(folder):
    choose_methods(folder, ["tagcos-mended"])
    assert config.implementation("tagcos-mended", config.load(folder, "demo").methods["tagcos-mended"]) == "tagcos"
    edit(folder, "methods/tagcos-mended.yaml", "implementation", "tagkos")
    assert "methods/tagkos.py" in refusal(folder, "methods/tagcos-mended.yaml")


def test_a_method_with_a_rule_of_its_own_needs_no_module(folder, monkeypatch):
    shutil.copy(folder / "methods/random.yaml", folder / "methods/my-own.yaml")
    choose_methods(folder, ["my-own"])
    monkeypatch.setattr(config, "RULES", folder / "rules")
    (folder / "rules").mkdir()
    (folder / "rules" / "my_own.smk").write_text("")
    assert list(config.load(folder, "demo").methods) == ["my-own"]


def test_gradients_that_are_needed_and_not_kept_are_refused(folder):
    choose_methods(folder, ["gist"])
    sentence = refusal(folder, DEMO)
    assert "gradients.pool_kinds: method 'gist' needs 'sgd', and only 'adam' is kept" in sentence
    edit(folder, DEMO, "gradients.pool_kinds", ["sgd"])
    assert list(config.load(folder, "demo").methods) == ["gist"]
    choose_methods(folder, ["gist", "less"])
    assert "method 'less' needs 'adam', and only 'sgd' is kept" in refusal(folder, DEMO)


def test_a_method_that_selects_nothing_needs_no_code(folder):
    shutil.copy(folder / "methods/base.yaml", folder / "methods/my-own.yaml")
    choose_methods(folder, ["my-own"])
    assert list(config.load(folder, "demo").methods) == ["my-own"]


@pytest.mark.parametrize("name", [path.stem for path in sorted((CONFIG / "experiments").glob("*.yaml"))])
def test_shipped_experiments_load(name):
    assert config.load(CONFIG, name).name == name


def test_defaults_are_filled_in_at_every_depth(folder):
    edit(folder, DEMO, "gradients", {"shards": 3, "projection": {"dimension": 16}})
    edit(folder, GSM, "metrics", [{"name": "acc", "task": "likelihood", "label": "Accuracy"}])
    loaded = config.load(folder, "demo")
    assert loaded.settings["seeds"] == [0]
    assert loaded.settings["threads"]["selection"] == 1
    assert loaded.settings["gradients"]["precision"] == "fp32"
    assert loaded.settings["gradients"]["projection"] == {"kind": "sjlt", "dimension": 16, "seed": 0}
    assert loaded.benchmarks["gsm-symbolic"]["metrics"][0]["scale"] == 1
    assert loaded.methods["full"]["needs"] == []


def test_changing_a_loaded_default_does_not_change_the_next_load():
    config.load(CONFIG, "demo").settings["seeds"].append(1)
    config.load(CONFIG, "demo").methods["full"]["params"]["delta"] = 1
    assert config.load(CONFIG, "demo").settings["seeds"] == [0]
    assert config.load(CONFIG, "demo").methods["full"]["params"] == {}


def test_the_experiment_overrides_single_training_settings(folder):
    edit(folder, DEMO, "finetune.training", {"lora_rank": 2})
    training = config.load(folder, "demo").training
    assert training["finetune"]["lora_rank"] == 2
    assert (
        training["finetune"]["lora_alpha"]
        == yaml.safe_load((CONFIG / "training/finetune.yaml").read_text())["lora_alpha"]
    )


def subschemas(schema: dict, where: str = ""):
    """(dotted name, schema, whether it is required) of every property, at every depth."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{where}.{name}", inner, name in schema.get("required", [])
        yield from subschemas(inner, f"{where}.{name}")
    nested = [schema.get("items"), schema.get("additionalProperties"), *schema.get("oneOf", [])]
    for inner in nested:
        if isinstance(inner, dict):
            yield from subschemas(inner, where)


PROPERTIES = [
    pytest.param(name, schema, required, id=path.name.removesuffix(".schema.yaml") + name)
    for path in SCHEMAS
    for name, schema, required in subschemas(config.schema_of(path.name.removesuffix(".schema.yaml")))
]
#: Keys whose absence is itself a setting: without `ratio`, a method takes the experiment's.
NO_DEFAULT = {".ratio"}


@pytest.mark.parametrize(("name", "schema", "required"), PROPERTIES)
def test_every_key_is_described_and_has_a_valid_default_if_optional(name, schema, required):
    assert schema.get("description")
    if "default" in schema:
        assert config.Validator(schema).is_valid(schema["default"])
    assert required or name in NO_DEFAULT or "default" in schema


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_schemas_are_schemas_and_described(path):
    schema = config.schema_of(path.name.removesuffix(".schema.yaml"))
    config.Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
