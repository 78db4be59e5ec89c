"""After a whole run: exactly what a change touches is done again."""

import shutil

import pytest

CELLS = {"select_rows", "selection_page", "finetune", "evaluate", "table", "shared_rows", "report", "all"}


def test_second_run__has_nothing_to_do(finished):
    result = finished.snakemake()
    assert result.returncode == 0, result.stderr
    assert "Nothing to be done" in result.stdout + result.stderr


LIBRARY = "workflow/instruction_selection"
TABLES = {"table", "report"}
#: After a change of what selections read.
FROM_SELECTION = {"select_rows", "selection_page", "finetune", "evaluate", "shared_rows", *TABLES}
FROM_GRADIENTS = {"pool_gradients", "validation_gradients", "gather_pool_gradients", *FROM_SELECTION}
#: What is edited, the text before and after, and the rules that are planned.
CODE = {
    "arithmetic of the projection": (
        f"{LIBRARY}/features/gradients/projection.py",
        "np.int8(2)",
        "np.int8(3)",
        FROM_GRADIENTS,
    ),
    "evaluation": (
        f"{LIBRARY}/evaluation/harness.py",
        "VLLM_RANKS = (1, ",
        "VLLM_RANKS = (2, ",
        {"harness_tasks", "evaluate", *TABLES},
    ),
    "training": (
        f"{LIBRARY}/training/llamafactory.py",
        "accumulation_steps(arguments, processes)",
        "accumulation_steps(arguments, 1 * processes)",
        {"warmup", *FROM_GRADIENTS},
    ),
    "one method": (f"{LIBRARY}/methods/less.py", "def score(", "EDITED = 1\n\n\ndef score(", FROM_SELECTION),
    "overlap": (f"{LIBRARY}/data/overlap.py", "def find(", "EDITED = 1\n\n\ndef find(", {"check_overlap", *TABLES}),
    "tables": (f"{LIBRARY}/tables/statistics.py", "LEVEL = ", "LEVEL = 1 * ", TABLES),
}
#: Edits that plan nothing.
NOTHING = {
    "a comment in a price list": (f"{LIBRARY}/cost/prices.py", "FORWARD_SHARE = ", "# Edited.\nFORWARD_SHARE = "),
    "a price": (f"{LIBRARY}/cost/resources.py", "TIME_SAFETY = ", "TIME_SAFETY = 1 + "),
    "a comment in the gradients": (
        f"{LIBRARY}/features/gradients/projection.py",
        "    def finish(",
        "    # Edited.\n    def finish(",
    ),
    "a docstring": (f"{LIBRARY}/evaluation/harness.py", '"""lm-eval\'s', '"""Edited. lm-eval\'s'),
    "a sentence of an error": (f"{LIBRARY}/core/errors.py", "CREDENTIALS = ", "EDITED = 1\nCREDENTIALS = "),
    "batch_tokens": ("config/experiments/smoke.yaml", "gradients:\n", "gradients:\n  batch_tokens: 77\n"),
    "the model's size": ("config/models/tiny-llama.yaml", "parameters: ", "parameters: 1"),
    "tokens of the pool": ("config/pools/reasoning.yaml", "tokens: 56", "tokens: 57"),
    "threads": ("config/experiments/smoke.yaml", "gradients:\n", "threads: {training: 2, selection: 2}\ngradients:\n"),
    "the card": ("config/experiments/smoke.yaml", "gpus: {training: 1}", "gpus: {training: 1, gradients: 1, card: 16}"),
    "a GPU": ("config/experiments/smoke.yaml", "gpus: {training: 1}", "gpus: {training: 1, selection: 1}"),
    "memory": ("config/experiments/smoke.yaml", "gradients:\n", "selection: {memory_mb: 900}\ngradients:\n"),
}
#: What is only said of an entry.
SAID = {
    "the model's summary": (
        "config/models/tiny-llama.yaml",
        "summary: ",
        "summary: Edited. ",
        {"report", "resolve_config"},
    ),
    "the pool's label": ("config/pools/reasoning.yaml", "label: ", "label: Edited ", {"report", "resolve_config"}),
    "the method's label": (
        "config/methods/less.yaml",
        "label: ",
        "label: Edited ",
        {*TABLES, "selection_page", "resolve_config"},
    ),
    "the benchmark's licence": (
        "config/benchmarks/logic.yaml",
        "license: Apache-2.0",
        "license: MIT",
        {"report", "resolve_config"},
    ),
}


def rules(planned: dict[str, int]) -> set[str]:
    return set(planned) - {"all", "total"}


@pytest.mark.parametrize("name", CODE)
def test_code__plans_what_depends_on_it(copy, name):
    path, old, new, expected = CODE[name]
    copy.edit(path, old, new)
    assert rules(copy.planned()) == expected


@pytest.mark.parametrize("name", NOTHING)
def test_what_decides_no_result__plans_nothing(copy, name):
    copy.edit(*NOTHING[name])
    assert rules(copy.planned()) == set()


@pytest.mark.parametrize("name", SAID)
def test_what_is_only_said__plans_tables_and_report(copy, name):
    path, old, new, expected = SAID[name]
    copy.edit(path, old, new)
    assert rules(copy.planned()) == expected


def test_one_method__plans_its_own_cells(copy):
    copy.edit(f"{LIBRARY}/methods/less.py", "def score(", "EDITED = 1\n\n\ndef score(")
    planned = copy.planned()
    # LESS selects, trains and is evaluated once per target.
    assert planned["select_rows"] == planned["finetune"] == planned["evaluate"] == 2


def test_what_methods_share__plans_those_that_share_it(copy):
    copy.edit(f"{LIBRARY}/selection/algorithms/similarity.py", "import numpy", "EDITED = 1\nimport numpy")
    assert copy.planned()["select_rows"] == 4


SHARDS = ("config/experiments/smoke.yaml", "shards: 2", "shards: 3")
STORE = "results/smoke/gradients/tiny-llama/reasoning/checkpoint1"


def test_another_number_of_shards__plans_nothing_after_a_finished_run(copy):
    copy.edit(*SHARDS)
    assert copy.planned() == {}


def test_another_number_of_shards__leaves_finished_shards_of_an_unfinished_store(copy):
    for name in ("shards/1.h5", "pool.h5"):
        (copy.path / STORE / name).unlink()
    copy.edit(*SHARDS)
    planned = copy.planned("smoke", "--", f"{STORE}/pool.h5")
    assert planned == {"pool_gradients": 1, "gather_pool_gradients": 1, "total": 2}


def test_another_number_of_shards__is_that_of_a_store_to_be_made_again(copy):
    copy.edit(*SHARDS)
    copy.edit("config/experiments/smoke.yaml", "dimension: 256", "dimension: 128")
    planned = copy.planned()
    assert planned["pool_gradients"] == 3 * planned["gather_pool_gradients"]


def test_another_number_of_shards__is_that_of_a_store_without_its_shards(copy):
    shutil.rmtree(copy.path / STORE / "shards")
    copy.edit(*SHARDS)
    assert copy.planned("smoke", "--forcerun", f"{STORE}/pool.h5")["pool_gradients"] == 3


def test_times_of_scripts__plan_nothing(copy):
    for script in (copy.path / "workflow/scripts").glob("*.py"):
        script.touch()
    assert copy.planned() == {}


def test_reason__is_one_readable_line(copy):
    copy.edit(f"{LIBRARY}/features/gradients/projection.py", "np.int8(2)", "np.int8(3)")
    done = copy.snakemake("--dry-run")
    assert "Reason: code of features.gradients.projection changed since the run\n" in done.stdout + done.stderr


def test_touch__accepts_what_is_there(copy):
    copy.edit(f"{LIBRARY}/features/gradients/projection.py", "np.int8(2)", "np.int8(3)")
    assert copy.snakemake("--touch").returncode == 0
    assert copy.planned() == {}


def test_ratio__reruns_nothing_before_selection(copy):
    copy.edit("config/experiments/smoke.yaml", "ratios: [0.1]", "ratios: [0.2]")
    planned = copy.planned()
    assert set(planned) == {*CELLS, "resolve_config", "total"}
    # `full` and the untuned model have their own ratio.
    assert planned["select_rows"] == planned["finetune"] == 10
    assert planned["evaluate"] == 12


def test_target__computes_no_pool_gradient(copy):
    benchmarks = copy.path / "config/benchmarks"
    logic = (benchmarks / "logic.yaml").read_text()
    only_aiw = logic.replace("[aiw, family_relationships, knights_knaves, syllogism]", "[aiw]")
    (benchmarks / "aiw.yaml").write_text(only_aiw.replace("label: Logic", "label: AIW"))
    copy.edit("config/experiments/smoke.yaml", "methods:", "  aiw: {validation_rows: 4, evaluation_rows: 4}\nmethods:")
    planned = copy.planned()
    new = {"sample_target", "check_overlap", "harness_tasks", "validation_gradients", "validation_embeddings"}
    assert set(planned) == {*CELLS, *new, "resolve_config", "total"}
    assert planned["validation_gradients"] == 1
    # sbert, less, g2is and the control of g2is's size for the new target; full, both draws of random and the untuned
    # model are evaluated on it.
    assert planned["select_rows"] == planned["finetune"] == 4
    assert planned["evaluate"] == 8


def test_projection__keeps_the_warm_up(copy):
    copy.edit("config/experiments/smoke.yaml", "dimension: 256", "dimension: 128")
    planned = copy.planned()
    assert planned["pool_gradients"] == planned["validation_gradients"] == 2
    assert not {"warmup", "sample_pool", "prepare_model", "pool_embeddings"} & set(planned)
