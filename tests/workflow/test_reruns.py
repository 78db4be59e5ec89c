"""After a whole run: exactly what a change touches is done again."""

CELLS = {"select_rows", "finetune", "evaluate", "table", "shared_rows", "report", "all"}


def test_a_second_run_has_nothing_to_do(finished):
    result = finished.snakemake()
    assert result.returncode == 0, result.stderr
    assert "Nothing to be done" in result.stdout + result.stderr


def test_editing_a_method_reruns_its_cells_and_the_tables(copy):
    copy.edit("workflow/instruction_selection/methods/less.py", "def score(", "# edited\ndef score(")
    # LESS selects, trains and is evaluated once per target.
    assert copy.planned() == {
        "select_rows": 2,
        "finetune": 2,
        "evaluate": 2,
        "table": 2,
        "shared_rows": 2,
        "report": 1,
        "all": 1,
        "total": 12,
    }


def test_editing_what_methods_share_reruns_those_that_share_it(copy):
    copy.edit(
        "workflow/instruction_selection/selection/algorithms/similarity.py", "import numpy", "# edited\nimport numpy"
    )
    assert copy.planned()["select_rows"] == 4


def test_another_ratio_reruns_nothing_before_selection(copy):
    copy.edit("config/experiments/smoke.yaml", "ratios: [0.1]", "ratios: [0.2]")
    planned = copy.planned()
    assert set(planned) == {*CELLS, "resolve_config", "total"}
    # `full` and the untuned model have their own ratio.
    assert planned["select_rows"] == planned["finetune"] == 10
    assert planned["evaluate"] == 12


def test_another_target_computes_no_pool_gradient(copy):
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


def test_another_projection_keeps_the_warm_up(copy):
    copy.edit("config/experiments/smoke.yaml", "dimension: 256", "dimension: 128")
    planned = copy.planned()
    assert planned["pool_gradients"] == planned["validation_gradients"] == 2
    assert not {"warmup", "sample_pool", "prepare_model", "pool_embeddings"} & set(planned)
