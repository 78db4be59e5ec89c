"""Files by wildcards, without Snakemake."""

import pytest
from snakemake.io import expand as snakemakes
from support.wildcards import Wildcards, of_selections

from instruction_selection.core import shards
from instruction_selection.core.features import FEATURES
from instruction_selection.experiment import load
from instruction_selection.experiment.wiring import Wiring, expand


def of_method(wiring: Wiring, method: str, target: str = "any", model: str = "any") -> Wildcards:
    pool = next(iter(wiring.experiment.pools))
    return Wildcards(model=model, pool=pool, target=target, method=method, ratio="0.05", seed="0")


@pytest.mark.parametrize(
    ("patterns", "values"),
    [
        ("{a}/{b}", {"a": ["x", "y"], "b": range(2)}),
        (["{a}.md", "{a}.tex"], {"a": ["x", "y"]}),
        ("{a}", {"a": "x"}),
    ],
)
def test_expand__is_snakemakes(patterns, values):
    assert expand(patterns, **values) == snakemakes(patterns, **values)


def test_expand__leaves_other_wildcards_open():
    assert expand("{a}/{b}", a=["x", "y"]) == ["x/{b}", "y/{b}"]


def test_features__are_those_that_a_method_needs(wiring):
    for cell in of_selections(wiring):
        read = [wiring.fixed_features(cell), *wiring.checkpoint_features(cell)]
        assert {name for files in read for name in files} == set(wiring.method_of(cell).needs)
        assert all("{" not in path for files in read for paths in files.values() for path in paths)


def test_checkpoint_features__are_of_different_files_at_each_checkpoint(wiring):
    for cell in of_selections(wiring):
        read = wiring.checkpoint_features(cell)
        assert all(FEATURES[name].per_checkpoint for files in read for name in files)
        # Two kinds of gradients may be in one file.
        paths = [{path for paths in files.values() for path in paths} for files in read]
        assert len(set().union(*paths)) == sum(map(len, paths))


def test_selection_inputs__have_every_shard_of_every_checkpoint_read(wiring):
    for cell in of_selections(wiring):
        inputs = wiring.selection_inputs(cell)
        if "shards" in inputs:
            read = len(wiring.checkpoint_features(cell))
            assert (
                len(set(inputs["shards"]))
                == len(inputs["shards"])
                == read * wiring.settings.gradients.shards_of(cell.pool)
            )


def test_shard_count__is_that_of_finished_shards_of_the_same_settings(repository, tmp_path, monkeypatch):
    experiment = load.load(repository / "config", "smoke")
    monkeypatch.chdir(tmp_path)
    store = Wildcards(model="tiny-llama", pool="reasoning")

    def count(experiment) -> int:
        wiring = Wiring(experiment)
        assert len(wiring.pool_shards(store, 1)) == wiring.shard_count(store, 1)
        return wiring.shard_count(store, 1)

    def changed(section: str, **values):
        new = getattr(experiment.settings, section).model_copy(update=values)
        return experiment.model_copy(update={"settings": experiment.settings.model_copy(update={section: new})})

    assert count(experiment) == 2
    assert count(changed("gradients", shards=3)) == 3
    wiring = Wiring(experiment)
    shards.record(wiring.pool_shards(store, 1)[1], 2, wiring.behind_gradients(store))
    assert count(changed("gradients", shards=3)) == 2
    assert count(changed("gradients", shards=3, batch_tokens=7)) == 2
    # What is made again has the new number.
    assert count(changed("gradients", shards=3, precision="bf16")) == 3
    assert count(changed("gradients", shards=3, pool_kinds=("sgd",))) == 3
    assert Wiring(changed("gradients", shards=3)).shard_count(store, 2) == 3
    warmup = changed("warmup", rows=experiment.settings.warmup.rows + 1)
    new = warmup.settings.gradients.model_copy(update={"shards": 3})
    assert count(warmup.model_copy(update={"settings": warmup.settings.model_copy(update={"gradients": new})})) == 3


def test_selection_inputs__random_reads_nothing_but_the_pool(paper):
    assert paper.selection_inputs(of_method(paper, "random")) == {"features": []}


def test_selection_inputs__all_checkpoints_or_the_last(paper):
    model, kept = next(iter(paper.experiment.models)), paper.settings.warmup.checkpoints
    assert kept > 1
    for method, numbers in (("less", range(1, kept + 1)), ("g2is", [kept])):
        cell = of_method(paper, method, "bbh+gsm8k", model)
        read = paper.checkpoint_features(cell)
        for found, number in zip(read, numbers, strict=True):
            assert [path.split("/")[-2] for path in found["pool_gradients"]] == [f"checkpoint{number}"]
            assert [path.split("/")[-1] for path in found["validation_gradients"]] == ["bbh.h5", "gsm8k.h5"]
        inputs = paper.selection_inputs(cell)
        assert set(inputs["features"]) == {path for found in read for paths in found.values() for path in paths}
        assert len(inputs["validation"]) == 2


def test_selection_inputs__the_selection_whose_size_is_followed(smoke):
    inputs = smoke.selection_inputs(of_method(smoke, "random-size-matched", "logic", "tiny-llama"))
    followed = smoke.experiment.methods["random-size-matched"].sized_like
    assert inputs["sized_like"] == f"results/smoke/runs/tiny-llama/reasoning/logic/{followed}/0.05/seed0/selection.json"


def test_features_made_with__as_the_experiment_says(paper):
    model = next(iter(paper.experiment.models))
    assert paper.features_made_with(of_method(paper, "random")) == {}
    expected = paper.features_made_with(of_method(paper, "less", "bbh", model))
    assert expected["template"] == paper.experiment.models[model].template
    assert expected["projection"]["dimension"] == paper.settings.gradients.projection.dimension


def test_table_inputs__name_each_file_once(wiring):
    for table in wiring.experiment.tables:
        for files in wiring.table_inputs(Wildcards(table=table)).values():
            assert len(files) == len(set(files))
