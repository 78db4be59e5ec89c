"""A config that changes between two runs reruns what depends on it, and tables never mix old and new results."""

import shutil
import subprocess

import pytest
from support.running import RESULTS, Run, jobs_of, sentence
from support.small import CONFIG, EXPERIMENT

from instruction_selection.core import files

pytestmark = pytest.mark.slow

FINETUNE = "finetune:\n  training: *tiny\n"
#: After a parameter of one method has changed.
REDONE = ("select_rows", "selection_page", "finetune", "evaluate", "table", "shared_rows", "report")


def rules(planned: dict[str, int]) -> dict[str, int]:
    return {rule: count for rule, count in planned.items() if rule not in ("all", "total", "resolve_config")}


def test_finished_run__has_nothing_to_do(copy):
    assert copy.planned() == {}


def test_fine_tuning__reruns_for_another_learning_rate(copy):
    copy.edit(CONFIG, FINETUNE, "finetune:\n  training: {<<: *tiny, learning_rate: 2.0e-2}\n")
    assert rules(copy.planned()) == {"finetune": 3, "evaluate": 3, "table": 1, "report": 1}


def test_method__reruns_for_another_parameter(copy):
    copy.edit("config/methods/g2is.yaml", "delta: 0.8", "delta: 0.7")
    planned = rules(copy.planned())
    assert planned == dict.fromkeys(REDONE, 1)


def test_parameter__plans_nothing_when_changed_and_changed_back(copy, undisturbed):
    copy.edit("config/methods/g2is.yaml", "delta: 0.8", "delta: 0.999")
    assert "select_rows" in jobs_of(copy.finish())
    assert copy.tables() != undisturbed.tables()
    copy.edit("config/methods/g2is.yaml", "delta: 0.999", "delta: 0.8")
    assert set(jobs_of(copy.finish())) <= {"resolve_config", "all", *REDONE}
    assert copy.tables() == undisturbed.tables()


def test_pool__reruns_everything_when_it_is_another(copy):
    copy.edit(CONFIG, "rows: 48", "rows: 52")
    planned = rules(copy.planned())
    # All but the model, the target and the evaluation of the untuned model.
    assert not {"prepare_model", "sample_target", "harness_tasks"} & planned.keys()
    assert planned["sample_pool"] == planned["warmup"] == 1
    assert planned["pool_gradients"] == 2
    assert planned["select_rows"] == planned["finetune"] == planned["evaluate"] == 3


def test_table__of_old_and_new_is_rejected(copy):
    """Snakemake is asked to compare times alone, and the table still finds the result that is out of date."""
    copy.edit(CONFIG, FINETUNE, "finetune:\n  training: {<<: *tiny, learning_rate: 2.0e-2}\n")
    table = copy.results / "tables/logic.csv"
    table.unlink()
    done = copy.snakemake("--rerun-triggers", "mtime")
    sentence(done, "training.json: finetune_training.learning_rate: made with other settings than the experiment has")
    assert not table.exists()


def test_table__of_an_adapter_that_was_made_again_is_rejected(copy):
    path = copy.path / RESULTS / "runs/tiny-llama/reasoning/any/random/0.25/seed0/training.json"
    files.write_json(path, {**files.read_json(path), "adapter": "0" * 64})
    (copy.results / "tables/logic.csv").unlink()
    done = copy.snakemake("--rerun-triggers", "mtime")
    sentence(done, "logic.json: provenance.inputs.adapter.sha256: not made from")


#: (file, text before and after, the result that is named, the key that differs)
OTHER_SETTINGS = {
    "a parameter of a method": (
        "methods/g2is.yaml",
        "delta: 0.8",
        "delta: 0.7",
        "selection.json",
        "method.params.delta",
    ),
    "cutoff": (f"experiments/{EXPERIMENT}.yaml", "cutoff_len: 128", "cutoff_len: 96", ".json", "settings.cutoff_len"),
    "dimension": (
        f"experiments/{EXPERIMENT}.yaml",
        "dimension: 256",
        "dimension: 128",
        "selection.json",
        "features.projection",
    ),
    "rows of the pool": (f"experiments/{EXPERIMENT}.yaml", "rows: 48", "rows: 52", "pool.json", "pool_size.rows"),
    "rows of the warm-up": (
        f"experiments/{EXPERIMENT}.yaml",
        "warmup:\n  rows: 8",
        "warmup:\n  rows: 12",
        "rows.json",
        "warmup.rows",
    ),
}


@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_other_settings__are_noticed_without_the_records_of_snakemake(copy, name):
    file, old, new, result, key = OTHER_SETTINGS[name]
    shutil.rmtree(copy.path / ".snakemake")
    copy.edit(f"config/{file}", old, new)
    table = copy.results / "tables/logic.csv"
    table.unlink()
    done = copy.snakemake("--rerun-triggers", "mtime")
    sentence(done, f"{result}: {key}")
    assert not table.exists()


def test_results_of_an_earlier_version__are_recognised(copy):
    path = copy.path / RESULTS / "runs/tiny-llama/reasoning/any/random/0.25/seed0/training.json"
    summary = files.read_json(path)
    del summary["provenance"]["code"]
    files.write_json(path, summary)
    (copy.results / "tables/logic.csv").unlink()
    done = copy.snakemake("--rerun-triggers", "mtime")
    sentence(done, "training.json: an earlier version of this project made this result")


def test_a_moved_run__has_nothing_to_do(copy, tmp_path):
    moved = Run(copy.path.rename(tmp_path / "moved"))
    assert moved.planned() == {}


def test_a_clone_with_copied_results__has_nothing_to_do(copy, tmp_path):
    subprocess.run(["git", "clone", "-q", str(copy.path), str(tmp_path / "clone")], check=True)
    for folder in ("config", "results", ".snakemake"):
        shutil.copytree(copy.path / folder, tmp_path / "clone" / folder, symlinks=True, dirs_exist_ok=True)
    assert Run(tmp_path / "clone").planned() == {}


def test_selections__do_not_depend_on_how_jobs_run(copy, undisturbed):
    chosen = [
        f"{RESULTS}/runs/tiny-llama/reasoning/logic/{name}/0.25/seed0/selected.jsonl" for name in ("less", "g2is")
    ]
    shutil.rmtree(copy.results / "gradients")
    copy.edit(CONFIG, "shards: 2\n  batch_tokens: 128", "shards: 3\n  batch_tokens: 300")
    assert "pool_gradients" in jobs_of(copy.finish("--cores", "2", "--", *chosen))
    for path in chosen:
        assert (copy.path / path).read_text() == (undisturbed.path / path).read_text()
