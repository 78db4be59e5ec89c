"""A wrong configuration is rejected before any job starts, by file and key."""

import importlib.util
import shutil

import pytest
from support.rejections import rejected

from instruction_selection.core.errors import InputError
from instruction_selection.experiment import load
from instruction_selection.experiment.method import Method

from .conftest import MISSING

DEMO = "experiments/demo.yaml"
LOGIC = "benchmarks/logic.yaml"
GSM = "benchmarks/gsm-symbolic.yaml"
TINY = "models/tiny-llama.yaml"
PUBLIC = "pools/public.yaml"
EXAM = "benchmarks/exam.yaml"
SMOL = "models/smollm2-135m.yaml"
FINETUNE = "training/finetune.yaml"
ENCODER = "encoders/all-minilm-l6-v2.yaml"


#: That of its first metric.
LABEL = "Log-likelihood of the answer"


@pytest.mark.parametrize(
    ("file", "key", "value", "code", "at"),
    [
        pytest.param(DEMO, "methods", ["base", "les"], "unknown-method", None, id="unknown method"),
        pytest.param(DEMO, "methods", [], "empty", "methods", id="no methods"),
        pytest.param(DEMO, "gpus", {"training": 3}, "indivisible-batch", "gpus.training", id="batch of 8"),
        pytest.param(DEMO, "nodes", {"training": 2}, "nodes-without-gpus", "nodes.training", id="nodes"),
        pytest.param(DEMO, "gpus", {"card": 40}, "card-without-gpus", "gpus.card", id="card"),
        pytest.param(DEMO, "evaluation", {"backend": "vllm"}, "vllm-without-gpu", "evaluation.backend", id="vLLM"),
        pytest.param(
            DEMO, "targets.logic.backend", "vllm", "vllm-without-gpu", "targets.logic.backend", id="a target's vLLM"
        ),
        pytest.param(
            DEMO,
            "finetune.training.deepspeed",
            "zero9.json",
            "no-deepspeed-file",
            "finetune.training.deepspeed",
            id="missing DeepSpeed file",
        ),
        pytest.param(DEMO, "methods", ["base", "base"], "duplicate", "methods", id="duplicate methods"),
        pytest.param(DEMO, "methods", ["../methods/base"], "not-a-name", None, id="path for a name"),
        pytest.param(DEMO, "methods", [7], "wrong-type", "methods.0", id="number for a name"),
        pytest.param(DEMO, "models", ["any"], "reserved-name", None, id="reserved name"),
        pytest.param(DEMO, "models", ["llama-405b"], "unknown-model", None, id="no such model"),
        pytest.param(DEMO, "models", MISSING, "missing-key", "models", id="no models"),
        pytest.param(DEMO, "encoder", None, "no-encoder", "encoder", id="no encoder for embeddings"),
        pytest.param(DEMO, "encoder", "minilm", "unknown-encoder", None, id="no such encoder"),
        pytest.param(DEMO, "ratios", [0], "out-of-range", "ratios.0", id="ratio 0"),
        pytest.param(DEMO, "ratios", [0.5, 1], "out-of-range", "ratios.1", id="ratio 1"),
        pytest.param(DEMO, "ratios", [1.5], "out-of-range", "ratios.0", id="ratio above 1"),
        pytest.param(DEMO, "ratios", ["10%"], "wrong-type", "ratios.0", id="ratio in words"),
        pytest.param(DEMO, "ratios", [True], "wrong-type", "ratios.0", id="true for 1"),
        pytest.param(DEMO, "ratios", [], "no-ratio", "ratios", id="no ratio for methods that take one"),
        pytest.param(DEMO, "ratios", [1e-3], "ratio-selects-none", "ratios", id="no row"),
        pytest.param(DEMO, "seeds", [-1], "out-of-range", "seeds.0", id="negative seed"),
        pytest.param(DEMO, "seeds", [3, 3], "duplicate", "seeds", id="duplicate seeds"),
        pytest.param(DEMO, "seeds", [1.0], "wrong-type", "seeds.0", id="seed with a decimal point"),
        pytest.param(DEMO, "seeds", [-1] * 500, "out-of-range", "seeds.0", id="long list"),
        pytest.param(DEMO, "seeds", "0" * 999, "wrong-type", "seeds", id="long value"),
        pytest.param(DEMO, "seeds_of", {"les": [0]}, "seeds-of-no-method", "seeds_of.les", id="seeds of no method"),
        pytest.param(DEMO, "data_seed", 2**32, "out-of-range", "data_seed", id="large seed"),
        pytest.param(DEMO, "pools.reasoning.rows", 0, "out-of-range", "pools.reasoning.rows", id="no rows"),
        pytest.param(DEMO, "pools.reasoning.rows", 9.0, "wrong-type", "pools.reasoning.rows", id="9.0 rows"),
        pytest.param(DEMO, "pools.reasoning.rows", 24, "pool-too-small", "warmup.rows", id="smaller than warm-up"),
        pytest.param(
            DEMO, "pools.reasoning.rows", 23, "fewer-rows-than-tasks", "pools.reasoning.rows", id="fewer than tasks"
        ),
        pytest.param(
            DEMO, "pools.reasoning.rows", "all", "all-of-a-reader", "pools.reasoning.rows", id="all of a reader"
        ),
        pytest.param(DEMO, "pools.reasoning.rows", "some", "wrong-type", "pools.reasoning.rows", id="some rows"),
        pytest.param(DEMO, "pools", {7: {"rows": 9}}, "yaml-key", None, id="number for a pool"),
        pytest.param(DEMO, "pools", {}, "empty", "pools", id="no pools"),
        pytest.param(
            DEMO,
            "targets.logic.validation_rows",
            MISSING,
            "missing-key",
            "targets.logic.validation_rows",
            id="missing size",
        ),
        pytest.param(DEMO, "ratios", [481], "count-exceeds-pool", "ratios", id="count above the pool's"),
        pytest.param(DEMO, "ratios", [2.5], "out-of-range", "ratios.0", id="half a row"),
        pytest.param(GSM, "metrics", MISSING, "missing-key", "metrics", id="harness without metrics"),
        pytest.param(DEMO, "warmup.checkpoints", 3, "too-many-checkpoints", "warmup.checkpoints", id="checkpoints"),
        pytest.param(DEMO, "gradients.precision", "fp64", "not-allowed", "gradients.precision", id="precision"),
        pytest.param(DEMO, "gradients.shards", 481, "pool-too-small", "gradients.shards", id="shards"),
        pytest.param(DEMO, "gradients.shards", "two", "wrong-type", "gradients.shards", id="shards in words"),
        pytest.param(
            DEMO, "gradients.shards", {"reasoning": 0}, "out-of-range", "gradients.shards.reasoning", id="no shards"
        ),
        pytest.param(DEMO, "gradients.shards", {}, "shards-of-other-pools", "gradients.shards", id="other pools"),
        pytest.param(DEMO, "gradients", {"shard": 4}, "unknown-key", "gradients.shard", id="misspelt nested key"),
        pytest.param(DEMO, "method", ["less"], "unknown-key", "method", id="misspelt key"),
        pytest.param(DEMO, "pools.reasoning", {"row": 9}, "unknown-key", "pools.reasoning.row", id="misspelt size"),
        pytest.param(DEMO, "hub", {"cache": "../x"}, "not-allowed", "hub.cache", id="cache above"),
        pytest.param(DEMO, "hub", {"cache": "a{b}"}, "not-allowed", "hub.cache", id="cache with braces"),
        pytest.param(DEMO, "hub", {"mirror": "a\0"}, "not-allowed", "hub.mirror", id="mirror"),
        pytest.param(DEMO, "summary", [1], "wrong-type", "summary", id="list for text"),
        pytest.param(DEMO, "methods", "less", "wrong-type", "methods", id="one method"),
        pytest.param(
            DEMO,
            "finetune.training.output_dir",
            "/x",
            "set-by-workflow",
            "finetune.training.output_dir",
            id="output in the fine-tuning",
        ),
        pytest.param(
            DEMO,
            "warmup.training.seed",
            3,
            "set-by-workflow",
            "warmup.training.seed",
            id="seed in the warm-up",
        ),
        pytest.param(
            "training/warmup.yaml",
            "gradient_accumulation_steps",
            4,
            "set-by-workflow",
            "gradient_accumulation_steps",
            id="accumulation",
        ),
        pytest.param(FINETUNE, "effective_batch", MISSING, "missing-key", "effective_batch", id="no batch"),
        pytest.param(
            DEMO,
            "finetune.training.effective_batch",
            None,
            "wrong-type",
            "finetune.training.effective_batch",
            id="no batch for one experiment",
        ),
        pytest.param("training/warmup.yaml", "output_dir", "/x", "set-by-workflow", "output_dir", id="in training"),
        pytest.param(FINETUNE, "per_device_train_batch_size", 0, "out-of-range", "per_device_train_batch_size", id="0"),
        pytest.param(FINETUNE, "lora_rank", "two", "wrong-type", "lora_rank", id="rank in words"),
        pytest.param(FINETUNE, "num_train_epochs", "3", "wrong-type", "num_train_epochs", id="'3'"),
        pytest.param(FINETUNE, "learning_rate", -2e-5, "out-of-range", "learning_rate", id="learning rate"),
        pytest.param(FINETUNE, "learning_rate", "2,5", "wrong-type", "learning_rate", id="decimal comma"),
        pytest.param(FINETUNE, "lora_rnak", 8, "unknown-key", "lora_rnak", id="misspelt argument"),
        pytest.param(DEMO, "warmup.training.lora_rnak", 8, "unknown-key", "warmup.training.lora_rnak", id="in a block"),
        pytest.param(FINETUNE, "lora_dropout", "0.1", "wrong-type", "lora_dropout", id="text for a number"),
        pytest.param(FINETUNE, "bf16", 1, "wrong-type", "bf16", id="1 for true"),
        pytest.param(FINETUNE, "max_steps", True, "wrong-type", "max_steps", id="true for a number of steps"),
        pytest.param(FINETUNE, "lr_scheduler_type", "cosin", "not-allowed", "lr_scheduler_type", id="schedule"),
        pytest.param(FINETUNE, "lr_scheduler_type", 1, "wrong-type", "lr_scheduler_type", id="number for a schedule"),
        pytest.param(FINETUNE, "finetuning_type", "freeze", "not-allowed", "finetuning_type", id="kind of tuning"),
        pytest.param(FINETUNE, "lora_target", "q_proj,nope_proj", "unknown-layer", "lora_target", id="layer"),
        pytest.param(
            DEMO,
            "warmup.training.lora_target",
            "c_attn",
            "unknown-layer",
            "warmup.training.lora_target",
            id="another model's layer",
        ),
        pytest.param("methods/less.yaml", "needs", ["gradients"], "not-allowed", "needs.0", id="unknown need"),
        pytest.param("methods/random.yaml", "ratio", 2, "out-of-range", "ratio", id="method's ratio"),
        pytest.param(
            "methods/less.yaml", "implementation", "../less", "not-allowed", "implementation", id="implementation"
        ),
        pytest.param("pools/reasoning.yaml", "reader", "csv", "reader-without-code", "reader", id="pool's reader"),
        pytest.param("pools/reasoning.yaml", "reader", "../files", "not-allowed", "reader", id="reader outside"),
        pytest.param("pools/reasoning.yaml", "tasks", [], "reader-without-tasks", "tasks", id="reader without tasks"),
        pytest.param("pools/reasoning.yaml", "reader", None, "no-origin", "rows", id="no reader and no rows"),
        pytest.param(GSM, "reader", "reasoning-gim", "reader-without-code", "reader", id="benchmark's reader"),
        pytest.param(GSM, "reader", "__init__", "not-allowed", "reader", id="package for a reader"),
        pytest.param("methods/less.yaml", "implementation", "__init__", "not-allowed", "implementation", id="package"),
        pytest.param(GSM, "tasks", ["gsm_symbolik"], "unknown-generator", "tasks.0", id="benchmark's generator"),
        pytest.param(
            "pools/reasoning.yaml", "tasks", ["aiw", "nope"], "unknown-generator", "tasks.1", id="pool's generator"
        ),
        pytest.param(TINY, "template", "nope", "unknown-template", "template", id="template"),
        pytest.param(TINY, "parameters", 16, "out-of-range", "parameters", id="parameters in billions"),
        pytest.param(
            TINY,
            "source.config.model_type",
            "nope",
            "unknown-architecture",
            "source.config.model_type",
            id="architecture",
        ),
        pytest.param(
            TINY, "source.config", {}, "unknown-architecture", "source.config.model_type", id="no architecture"
        ),
        pytest.param("methods/less.yaml", "label", "Random", "duplicate-label", "label", id="label of two methods"),
        pytest.param(LOGIC, "label", "GSM-Symbolic", "duplicate-label", "label", id="label of two benchmarks"),
        pytest.param(GSM, "harness", MISSING, "missing-key", "harness", id="no harness"),
        pytest.param(GSM, "harness", {"A b": {"include": "x"}}, "not-allowed", "harness.A b", id="name of a task"),
        pytest.param(
            GSM,
            "harness",
            {"own": {"output_type": "generate_until"}},
            "missing-key",
            "harness.own.doc_to_text",
            id="no question",
        ),
        pytest.param(
            GSM,
            "harness",
            {"own": {"include": "gsm8k/gsm8k.yaml", "end_of_turn": True}},
            "end-of-turn",
            "harness.own.end_of_turn",
            id="end of turn",
        ),
        pytest.param(GSM, "metrics", [], "missing-key", "metrics", id="no metrics"),
        pytest.param(GSM, "label", "=cmd|'/C calc'!A0", "not-allowed", "label", id="label with a formula"),
        pytest.param(TINY, "label", "\t=1", "not-allowed", "label", id="label after a tab"),
        pytest.param("methods/less.yaml", "label", "@SUM(A1)", "not-allowed", "label", id="label with a function"),
        pytest.param(
            GSM,
            "metrics",
            [{"name": "+1", "task": "answer", "label": "A"}],
            "not-allowed",
            "metrics.0.name",
            id="metric with a formula",
        ),
        pytest.param(
            LOGIC, "harness.answer.doc_to_txt", "x", "unknown-key", "harness.answer.doc_to_txt", id="task's key"
        ),
        pytest.param(
            LOGIC, "harness.answer.doc_to_text", "{{q", "template", "harness.answer.doc_to_text", id="task's template"
        ),
        pytest.param(
            LOGIC,
            "harness.answer.doc_to_choice",
            ["{{q|nope}}"],
            "template",
            "harness.answer.doc_to_choice",
            id="filter",
        ),
        pytest.param(
            LOGIC, "harness.answer.output_type", "generate", "not-allowed", "harness.answer.output_type", id="output"
        ),
        pytest.param(
            LOGIC,
            "harness.answer.metric_list",
            [{"metric": "acc"}, {"metric": "accc"}],
            "unknown-metric",
            "harness.answer.metric_list.1.metric",
            id="metric that lm-eval lacks",
        ),
        pytest.param(LOGIC, "metrics.0.metric", "accc", "metric-not-given", "metrics.0.metric", id="metric"),
        pytest.param(LOGIC, "metrics.0.filter", "first", "metric-not-given", "metrics.0.filter", id="metric's filter"),
        pytest.param(LOGIC, "metrics.1.name", "log_likelihood", "duplicate", "metrics.1.name", id="one name"),
        pytest.param(LOGIC, "metrics.2.label", LABEL, "duplicate", "metrics.2.label", id="one label"),
    ],
)
def test_value__is_rejected_by_file_and_key(folder, file, key, value, code, at):
    folder.set(DEMO, "models", ["tiny-llama"])
    folder.set(file, key, value)
    with rejected(code, path=folder.path / file, key=at) as caught:
        load.load(folder.path, "demo")
    assert at is None or caught.value.key == at


@pytest.mark.parametrize(
    ("key", "value", "code", "at"),
    [
        pytest.param("source.kind", "hug", "unknown-kind", "source.kind", id="unknown kind"),
        pytest.param("source.kind", MISSING, "unknown-kind", "source.kind", id="no kind"),
        pytest.param("source", "/weights", "wrong-type", "source", id="path for a mapping"),
        pytest.param("source.seed", MISSING, "missing-key", "source.seed", id="missing key"),
        pytest.param("source.seed", -1, "out-of-range", "source.seed", id="wrong value"),
        pytest.param("source.sed", 0, "unknown-key", "source.sed", id="misspelt key"),
        pytest.param("source.tokenizer.fil", "x", "unknown-key", "source.tokenizer.fil", id="misspelt deeper"),
    ],
)
def test_source__is_judged_by_its_kind(folder, key, value, code, at):
    folder.set(TINY, key, value)
    with rejected(code, path=folder.path / TINY, key=at) as caught:
        load.load(folder.path, "smoke")
    assert "repository" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "at"),
    [
        pytest.param(PUBLIC, "[a.jsonl]", "[../a.jsonl]", "not-allowed", "rows.source.files.0", id="file above"),
        pytest.param(PUBLIC, "[a.jsonl]", "[b/../../a]", "not-allowed", "rows.source.files.0", id="file around"),
        pytest.param(PUBLIC, "[a.jsonl]", "[/etc/passwd]", "not-allowed", "rows.source.files.0", id="file at root"),
        pytest.param(PUBLIC, "[a.jsonl]", '["a\\n"]', "not-allowed", "rows.source.files.0", id="line break"),
        pytest.param(PUBLIC, "[a.jsonl]", '["a\\0"]', "not-allowed", "rows.source.files.0", id="zero byte"),
        pytest.param(PUBLIC, "org/data", "org/../data", "not-allowed", "rows.source.url", id="address"),
        pytest.param(PUBLIC, "https:", "file:", "not-allowed", "rows.source.url", id="local address"),
        pytest.param(PUBLIC, "org/data", "org/d#token=x", "not-allowed", "rows.source.url", id="query"),
        pytest.param(EXAM, "datasets/some", "datasets/..", "not-allowed", "validation.source.repository", id="repo"),
        pytest.param(EXAM, "main", "-x", "not-allowed", "validation.source.revision", id="revision with a dash"),
        pytest.param(
            PUBLIC,
            "{kind: url, url: https://example.org/data,",
            "{kind: folder, folder: ../data,",
            "not-allowed",
            "rows.source.folder",
            id="folder above",
        ),
        pytest.param(
            PUBLIC,
            "{kind: url, url: https://example.org/data,",
            "{kind: package, package: os.path,",
            "not-allowed",
            "rows.source.package",
            id="package that would be imported",
        ),
        pytest.param(
            PUBLIC,
            "{kind: url, url: https://example.org/data, files: [a.jsonl]}",
            "{kind: package, package: os, files: [7]}",
            "wrong-type",
            "rows.source.files.0",
            id="a key with the name of the kind",
        ),
        pytest.param(SMOL, "file: ", "file: ../", "not-allowed", "source.file", id="file outside of its package"),
        pytest.param(ENCODER, "folder: model", "folder: model\nnotes: x", "unknown-key", "notes", id="encoder's key"),
        pytest.param(PUBLIC, "rows:\n", "reader: ..\nrows:\n", "not-allowed", "reader", id="reader"),
        pytest.param(PUBLIC, "rows:\n", "reader: a\ntasks: [b]\nrows:\n", "two-origins", "rows", id="reader and rows"),
        pytest.param(PUBLIC, "{{q}}", "{{q}", "template", "rows.instruction", id="template"),
        pytest.param(EXAM, "{{a}}", "{% if a %}", "template", "validation.response", id="endless if"),
        pytest.param(PUBLIC, "{{q}}", "{{q|schuffle}}", "template", "rows.instruction", id="filter"),
        pytest.param(PUBLIC, "label: Public", "label: 2026-01-01", "wrong-type", "label", id="date"),
        pytest.param(PUBLIC, "label: Public", "label: no", "wrong-type", "label", id="no"),
        pytest.param(FINETUNE, "stage: sft", "stage: 2026-01-01", "wrong-type", "stage", id="date for LLaMA-Factory"),
    ],
)
def test_source_and_template__are_rejected(with_files, file, old, new, code, at):
    with_files.replace(file, old, new)
    with rejected(code, path=with_files.path / file, key=at):
        load.load(with_files.path, "demo")


@pytest.mark.parametrize(
    "name",
    ["größe", ".hidden", "-n", "a/b", "$(id)", "a\nb", "a" * 101, "{seed}"],
)
def test_name__is_rejected(folder, name):
    folder.set(DEMO, "methods", [name])
    with rejected("not-a-name", path=folder.path / DEMO):
        load.load(folder.path, "demo")


@pytest.mark.parametrize("name", ["../demo", "Demo", "", "demo\n", 5, None])
def test_name_of_an_experiment__is_rejected(folder, name):
    with rejected("not-a-name"):
        load.load(folder.path, name)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"summary: [unclosed", "yaml-syntax", id="invalid YAML"),
        pytest.param(b"summary: caf\xe9", "yaml-syntax", id="not UTF-8"),
        pytest.param(b"- summary\n- models\n", "wrong-type", id="a list"),
        pytest.param(b"", "missing-key", id="empty"),
    ],
)
def test_file__is_a_mapping(folder, content, code):
    (folder.path / DEMO).write_bytes(content)
    with rejected(code, path=folder.path / DEMO):
        load.load(folder.path, "demo")


@pytest.mark.parametrize(
    ("file", "key", "value", "word"),
    [
        (DEMO, "methods", ["base", "les"], "less"),
        (DEMO, "method", ["less"], "methods"),
        (DEMO, "gradients", {"shard": 4}, "shards"),
        (DEMO, "evaluation", {"dtype": "bfloat6"}, "bfloat16"),
        ("methods/less.yaml", "needs", ["pool_gradient"], "pool_gradients"),
        (TINY, "source.sed", 0, "seed"),
    ],
)
def test_misspelt_word__is_corrected(folder, file, key, value, word):
    folder.set(DEMO, "models", ["tiny-llama"])
    folder.set(file, key, value)
    with pytest.raises(InputError) as caught:
        load.load(folder.path, "demo")
    assert f"did you mean '{word}'?" in str(caught.value)


def test_unknown_experiment__lists_the_choices(folder):
    with rejected("unknown-experiment") as caught:
        load.load(folder.path, "zzz")
    assert "available: datamodels, demo, " in str(caught.value)


def test_gradients__that_are_needed_must_be_kept(folder):
    folder.choose("gist")
    with rejected("gradients-not-kept", path=folder.path / DEMO, key="gradients.pool_kinds"):
        load.load(folder.path, "demo")
    folder.set(DEMO, "gradients.pool_kinds", ["sgd"])
    assert list(load.load(folder.path, "demo").methods) == ["gist"]
    folder.choose("gist", "less")
    with rejected("gradients-not-kept", path=folder.path / DEMO, key="gradients.pool_kinds"):
        load.load(folder.path, "demo")


def test_size_of_another_method__must_be_one_that_is_chosen(folder):
    file = "methods/random-size-matched.yaml"
    followed = load.read_entry(folder.path, Method, "random-size-matched").sized_like
    folder.choose("random-size-matched")
    with rejected("sized-like-no-method", path=folder.path / DEMO, key="methods"):
        load.load(folder.path, "demo")
    folder.choose("random-size-matched", "full")
    folder.set(file, "sized_like", "full")
    with rejected("sized-like-fixed", path=folder.path / file, key="sized_like"):
        load.load(folder.path, "demo")
    assert followed


def test_method__must_have_code(folder):
    shutil.copy(folder.path / "methods/random.yaml", folder.path / "methods/my-own.yaml")
    folder.choose("my-own")
    with rejected("method-without-code", path=folder.path / "methods/my-own.yaml"):
        load.load(folder.path, "demo")


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        pytest.param("gsm8k/gsm8k.yaml", "gsm8k/gsm9k.yaml", "no-harness-task", "harness.cot.include", id="file"),
        pytest.param("gsm8k/gsm8k.yaml", "gsm8k/{task}.yml", "no-harness-task", "harness.cot.include", id="pattern"),
        pytest.param("gsm8k/gsm8k.yaml", "gsm8k", "no-harness-task", "harness.cot.include", id="folder"),
        pytest.param("gsm8k/gsm8k.yaml", "gsm8k/README.md", "no-harness-task", "harness.cot.include", id="page"),
        pytest.param("gsm8k/gsm8k.yaml", "mmlu/default/_mmlu.yaml", "no-harness-task", None, id="group"),
        pytest.param("name: exact_match", "name: acc", "metric-not-given", "metrics.0.name", id="metric"),
        pytest.param("filter: strict-match", "filter: none", "metric-not-given", "metrics.0.filter", id="filter"),
    ],
)
def test_included_task__gives_its_metrics(with_files, old, new, code, at):
    assert load.load(with_files.path, "demo")
    with_files.replace(EXAM, old, new)
    with rejected(code, path=with_files.path / EXAM, key=at):
        load.load(with_files.path, "demo")


def test_template_of_a_task__is_not_computed(folder):
    folder.set(LOGIC, "harness.answer.doc_to_text", "{{ 9 ** (9 ** 9) }}{{ instruction | regex_replace('a', 'b') }}")
    assert load.load(folder.path, "demo")


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ("tiny-llama", "all"),
        ("tiny-llama", "q_proj, self_attn.v_proj,layers.1.mlp.up_proj"),
        # Its weights are not read before the first job, so it may be of any architecture.
        ("smollm2-135m", "c_attn,query_key_value"),
    ],
)
def test_layers__that_a_model_may_have(folder, model, target):
    folder.set(DEMO, "models", [model])
    folder.set(FINETUNE, "lora_target", target)
    assert load.load(folder.path, "demo").training["finetune"].plain()["lora_target"] == target


def test_included_task__is_not_checked_where_lm_eval_is_not_installed(with_files, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with_files.replace(EXAM, "gsm8k/gsm8k.yaml", "gsm8k/gsm9k.yaml")
    assert load.load(with_files.path, "demo")


def test_validation_rows__suffice_for_principal_components(folder):
    folder.set(DEMO, "targets.logic.validation_rows", 4)
    folder.set(DEMO, "targets.gsm-symbolic.validation_rows", 1)
    folder.choose("less")
    assert load.load(folder.path, "demo")
    folder.choose("less", "g2is")
    with rejected("too-few-validation-rows", path=folder.path / DEMO, key="targets.gsm-symbolic.validation_rows"):
        load.load(folder.path, "demo")


@pytest.mark.parametrize("folder_of", ["experiments/e", "methods/e"])
def test_folder_in_the_place_of_a_file__is_named(folder, folder_of):
    (folder.path / f"{folder_of}.yaml").mkdir()
    folder.choose("e")
    with rejected("not-a-file", path=folder.path / f"{folder_of}.yaml") as caught:
        load.load(folder.path, "e" if folder_of.startswith("experiments") else "demo")
    assert "did you mean" not in str(caught.value)
