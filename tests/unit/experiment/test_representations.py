"""What there is to measure: which selections are compared, and which representations are on the disk."""

import shutil
from pathlib import Path

import pytest
import yaml

from instruction_selection.experiment import load, representations
from instruction_selection.experiment.wiring import Wiring


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A function that writes an experiment, smoke with changes, and gives its wiring; nothing has run."""
    shutil.copytree("config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)

    def write(**changes):
        path = Path("config/experiments/smoke.yaml")
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))
        return Wiring(load.load("config", "smoke"))

    return write


def touch(*paths):
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_cases__have_every_selection_of_part_of_the_pool(written):
    wiring = written(ratios=[0.1, 0.25])
    cases = list(representations.cases(wiring))
    assert [case.target for case in cases] == ["gsm-symbolic", "logic"]
    for case in cases:
        assert {method for method, *_ in case.selections} == {"random", "random-size-matched", "sbert", "less", "g2is"}
        assert {ratio for _, ratio, _ in case.selections} == {"0.1", "0.25"}
        assert case.selections["less", "0.1", 0][0] == (
            f"results/smoke/runs/tiny-llama/reasoning/{case.target}/less/0.1/seed0/selected.jsonl"
        )
    # Random's is the same for both targets, and that of a seed is its own.
    first, second = (case.selections["random", "0.1", 1] for case in cases)
    assert first == second != cases[0].selections["random", "0.1", 0]


def test_representations__are_those_with_files_of_both_sides(written):
    wiring = written()
    paths = wiring.paths
    named = {"model": "tiny-llama", "pool": "reasoning", "encoder": wiring.settings.encoder, "checkpoint": 1}
    assert all(case.representations == [] for case in representations.cases(wiring))
    touch(
        paths.pool_gradients.format(**named),
        paths.pool_embeddings.format(**named),
        paths.pool_hidden_states.format(**named),
        paths.validation_gradients.format(**named, target="logic"),
        paths.validation_embeddings.format(**named, target="gsm-symbolic"),
    )
    found = {case.target: case.representations for case in representations.cases(wiring)}
    # Raw gradients of the pool are in the same file, if the experiment keeps them.
    assert {target: [each.name for each in several] for target, several in found.items()} == {
        "gsm-symbolic": ["sentence embeddings"],
        "logic": ["Adam gradients"],
    }
    [embeddings], [gradients] = found["gsm-symbolic"], found["logic"]
    assert embeddings.checkpoints is None
    assert set(embeddings.made_with) == {"encoder"}
    assert gradients.checkpoints == paths.warmup_checkpoints.format(**named)
    assert set(gradients.made_with) == {"projection", "precision", "template", "cutoff_len"}


def test_representations__have_raw_gradients_where_they_are_kept(written):
    wiring = written(gradients={"shards": 2, "pool_kinds": ["adam", "sgd"], "projection": {"dimension": 256}})
    named = {"model": "tiny-llama", "pool": "reasoning", "checkpoint": 1}
    touch(
        wiring.paths.pool_gradients.format(**named), wiring.paths.validation_gradients.format(**named, target="logic")
    )
    [case] = [case for case in representations.cases(wiring) if case.target == "logic"]
    assert [each.name for each in case.representations] == ["Adam gradients", "raw gradients"]


def test_representations__are_under_the_last_checkpoint_of_all_parts_of_a_joint_target(written):
    table = {"kind": "benchmarks", "label": "Both", "caption": "Joint.", "targets": ["gsm-symbolic+logic"]}
    Path("config/tables").mkdir(exist_ok=True)
    Path("config/tables/both.yaml").write_text(yaml.safe_dump(table))
    smoke = yaml.safe_load(Path("config/experiments/smoke.yaml").read_text())
    training = smoke["warmup"]["training"] | {"num_train_epochs": 3}
    wiring = written(tables=["both"], warmup=smoke["warmup"] | {"checkpoints": 3, "training": training})
    named = {"model": "tiny-llama", "pool": "reasoning", "checkpoint": 3}
    touch(wiring.paths.pool_gradients.format(**named))
    touch(wiring.paths.validation_gradients.format(**named, target="logic"))
    [case] = representations.cases(wiring)
    assert case.representations == []
    assert len(case.validation) == 2
    touch(wiring.paths.validation_gradients.format(**named, target="gsm-symbolic"))
    [case] = representations.cases(wiring)
    [gradients] = case.representations
    assert all("checkpoint3" in path for paths in gradients.features.values() for path in paths)
    assert [len(paths) for paths in gradients.features.values()] == [1, 2]
