"""Wildcards of jobs, as Snakemake gives them to functions: names are attributes and keys."""

from types import SimpleNamespace

from instruction_selection.experiment.compared import ComparedSelections
from instruction_selection.experiment.wiring import Wiring


class Wildcards(SimpleNamespace):
    def __getitem__(self, name):
        return getattr(self, name)


def of_selections(wiring: Wiring) -> list[Wildcards]:
    """Of every selection that has a job."""
    found = [Wildcards(**names) for names in ComparedSelections(wiring.experiment).wildcards()]
    assert found
    return found
