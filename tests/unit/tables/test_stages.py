"""The cost of a stage is the sum of its benchmark files."""

import pytest

from instruction_selection.experiment.settings import Gpus, Nodes, Settings, Threads
from instruction_selection.tables import stages

SETTINGS = Settings.model_construct(
    nodes=Nodes(training=2), gpus=Gpus(training=4), threads=Threads(training=8, selection=3)
)


@pytest.fixture
def folder(tmp_path):
    def write(path, seconds, memory):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0\t{memory}\n")

    write("report.tsv", 6, "NA")
    write("finetune/a/0.tsv", 3600, 1000.5)
    write("finetune/b/0.tsv", 1800, 900)
    write("select_rows/a.tsv", 1200, 50)
    return tmp_path


def test_build__sums_time_memory_and_cost_of_a_rule(folder):
    training, selection, report = stages.build(folder, SETTINGS)
    assert training == stages.Stage(
        rule="finetune",
        jobs=2,
        minutes=90,
        longest_minutes=60,
        memory_mb=1000.5,
        gpu_hours=1.5 * 4 * 2,
        cpu_hours=0,
    )
    assert (selection.rule, selection.gpu_hours, selection.cpu_hours) == ("select_rows", 0, 1)
    assert (report.rule, report.jobs, report.minutes, report.memory_mb) == ("report", 1, 0.1, None)
