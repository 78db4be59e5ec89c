"""What a job records of its work, beside its log."""

import time

import pytest

from instruction_selection.core import files, worked
from instruction_selection.core.worked import Work


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs/evaluate/0.1/logic.log"


def test_recorded_beside__the_sum_of_what_was_timed(log):
    with worked.recorded_beside(log):
        for _ in range(2):
            with worked.timed():
                time.sleep(0.02)
    found = files.read_json(log.with_name("logic.json"))
    assert 0.04 <= found["seconds"] < 5
    assert found["share"] == 1


def test_recorded_beside__what_a_child_process_measured(log):
    with worked.recorded_beside(log):
        worked.add(Work(3.0, share=0.5))
    found = files.read_json(worked.path_of(log))
    assert (found["seconds"], found["share"]) == (3, 0.5)


def test_recorded_beside__nothing_of_a_job_that_failed_or_does_not_say(log):
    with worked.recorded_beside(log):
        worked.add(Work(3.0))
    assert worked.path_of(log).is_file()
    with pytest.raises(OSError, match="full"), worked.recorded_beside(log), worked.timed():
        raise OSError("full")
    assert not worked.path_of(log).exists()
    with worked.recorded_beside(log):
        pass
    assert not worked.path_of(log).exists()


def test_timed__not_what_failed(log):
    with worked.recorded_beside(log):
        with pytest.raises(ValueError, match="bad"), worked.timed():
            raise ValueError("bad")
        worked.add(Work(1.0))
    assert files.read_json(worked.path_of(log))["seconds"] == 1


def test_timed__as_a_decorator_at_each_call(log):
    @worked.timed()
    def job():
        time.sleep(0.01)

    with worked.recorded_beside(log):
        job()
        job()
    assert files.read_json(worked.path_of(log))["seconds"] >= 0.02
