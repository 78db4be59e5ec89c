"""Files by wildcards, without Snakemake."""

from types import SimpleNamespace

import pytest
from snakemake.io import expand as snakemakes

from instruction_selection.experiment import load
from instruction_selection.experiment.wiring import Wiring, expand


class Wildcards(SimpleNamespace):
    def __getitem__(self, name):
        return getattr(self, name)


@pytest.fixture(scope="module", params=["smoke", "paper"])
def wiring(request, repository) -> Wiring:
    return Wiring(load.load(repository / "config", request.param))


def cells(wiring: Wiring) -> list[Wildcards]:
    """Of every selection that has a job."""
    found = [Wildcards(**names) for names in wiring.compared_selections()]
    assert found
    return [cell for cell in found if cell.method in wiring.methods_without_own_rule()]


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


def test_feature_files__are_those_that_a_method_needs(wiring):
    for cell in cells(wiring):
        files = wiring.feature_files(cell)
        assert list(files) == list(wiring.method_of(cell).needs)
        assert all("{" not in path for paths in files.values() for path in paths)


def test_earlier_feature_files__are_gradients_of_other_checkpoints(wiring):
    for cell in cells(wiring):
        last = [path for paths in wiring.feature_files(cell).values() for path in paths]
        for needs in wiring.earlier_feature_files(cell):
            assert all(need.endswith("_gradients") for need in needs)
            assert not {path for paths in needs.values() for path in paths} & set(last)


def test_selection_inputs__have_every_shard_of_every_checkpoint_read(wiring):
    for cell in cells(wiring):
        inputs = wiring.selection_inputs(cell)
        if "shards" in inputs:
            read = 1 + len(wiring.earlier_feature_files(cell))
            assert (
                len(set(inputs["shards"]))
                == len(inputs["shards"])
                == read * wiring.settings.gradients.shards_of(cell.pool)
            )


def test_table_inputs__name_each_file_once(wiring):
    for table in wiring.experiment.tables:
        for files in wiring.table_inputs(Wildcards(table=table)).values():
            assert len(files) == len(set(files))
