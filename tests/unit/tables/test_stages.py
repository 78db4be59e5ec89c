"""The cost of a stage is the sum of its benchmark files."""

import pytest

from instruction_selection.experiment.method import Method
from instruction_selection.experiment.settings import Gpus, Nodes, Settings, Threads
from instruction_selection.tables import stages

SETTINGS = Settings.model_construct(
    nodes=Nodes(training=2), gpus=Gpus(training=4), threads=Threads(training=8, selection=3)
)
METHODS = {name: Method.model_construct(on_gpu=name == "g2is") for name in ("g2is", "random")}


@pytest.fixture
def folder(tmp_path):
    def write(path, seconds, memory):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0\t{memory}\n")

    write("report.tsv", 6, "NA")
    write("finetune/a/0.tsv", 3600, 1000.5)
    write("finetune/b/0.tsv", 1800, 900)
    write("select_rows/model/g2is/0.1/seed0.tsv", 1200, 50)
    write("select_rows/model/random/0.1/seed0.tsv", 2400, 50)
    return tmp_path


def test_build__sums_time_memory_and_cost_of_a_rule(folder):
    training, selection, report = stages.build(folder, SETTINGS, METHODS)
    assert training == stages.Stage(
        rule="finetune",
        jobs=2,
        minutes=90,
        longest_minutes=60,
        memory_mb=1000.5,
        gpu_hours=1.5 * 4 * 2,
        cpu_hours=0,
    )
    assert (selection.rule, selection.gpu_hours, selection.cpu_hours) == ("select_rows", 0, 3)
    assert (report.rule, report.jobs, report.minutes, report.memory_mb) == ("report", 1, 0.1, None)


def test_build__selections_of_methods_that_use_a_gpu_had_it(folder):
    settings = SETTINGS.model_copy(update={"gpus": Gpus(training=4, selection=1)})
    _, selection, _ = stages.build(folder, settings, METHODS)
    assert (selection.gpu_hours, selection.cpu_hours) == (pytest.approx(1 / 3), 2)
