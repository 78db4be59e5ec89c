"""A config that changes between two runs reruns what depends on it, and tables never mix old and new results."""

import pytest
from support.running import RESULTS, jobs_of, sentence

from instruction_selection.core import files

pytestmark = pytest.mark.slow

FINETUNE = "finetune:\n  training: *tiny\n"
#: After a parameter of one method has changed.
REDONE = ("select_rows", "finetune", "evaluate", "table", "shared_rows", "report")


def rules(planned: dict[str, int]) -> dict[str, int]:
    return {rule: count for rule, count in planned.items() if rule not in ("all", "total", "resolve_config")}


def test_a_run_that_is_finished_has_nothing_to_do(copy):
    assert copy.planned() == {}


def test_another_learning_rate_of_fine_tuning(copy):
    copy.edit("config/experiments/faults.yaml", FINETUNE, "finetune:\n  training: {<<: *tiny, learning_rate: 2.0e-2}\n")
    assert rules(copy.planned()) == {"finetune": 3, "evaluate": 3, "table": 1, "report": 1}


def test_another_parameter_of_a_method(copy):
    copy.edit("config/methods/g2is.yaml", "delta: 0.8", "delta: 0.7")
    planned = rules(copy.planned())
    assert planned == dict.fromkeys(REDONE, 1)


def test_a_parameter_that_is_changed_and_changed_back(copy, undisturbed):
    copy.edit("config/methods/g2is.yaml", "delta: 0.8", "delta: 0.999")
    assert "select_rows" in jobs_of(copy.finish())
    assert copy.tables() != undisturbed.tables()
    copy.edit("config/methods/g2is.yaml", "delta: 0.999", "delta: 0.8")
    assert set(jobs_of(copy.finish())) <= {"resolve_config", "all", *REDONE}
    assert copy.tables() == undisturbed.tables()


def test_another_pool(copy):
    copy.edit("config/experiments/faults.yaml", "rows: 48", "rows: 52")
    planned = rules(copy.planned())
    # All but the model, the target and the evaluation of the untuned model.
    assert not {"prepare_model", "sample_target", "harness_tasks"} & planned.keys()
    assert planned["sample_pool"] == planned["warmup"] == 1
    assert planned["pool_gradients"] == 2
    assert planned["select_rows"] == planned["finetune"] == planned["evaluate"] == 3


def test_a_table_of_old_and_new_is_refused(copy):
    """Whoever tells Snakemake that results are up to date is told which are not."""
    copy.edit("config/experiments/faults.yaml", FINETUNE, "finetune:\n  training: {<<: *tiny, learning_rate: 2.0e-2}\n")
    table = copy.results / "tables/logic.csv"
    table.unlink()
    done = copy.snakemake("--rerun-triggers", "mtime")
    sentence(done, "training.json: made with other settings of the fine-tuning than the experiment has")
    assert not table.exists()


def test_a_table_of_an_adapter_that_was_made_again_is_refused(copy):
    path = copy.path / RESULTS / "runs/tiny-llama/reasoning/any/random/0.25/seed0/training.json"
    files.write_json(path, {**files.read_json(path), "adapter": "0" * 64})
    (copy.results / "tables/logic.csv").unlink()
    done = copy.snakemake("--rerun-triggers", "mtime")
    sentence(done, "logic.json: of another adapter than")
