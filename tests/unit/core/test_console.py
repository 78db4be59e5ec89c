"""A run's console has one line per job, everything that someone has to read, and no escape codes in a file."""

import io
import logging
import re

import pytest
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake.settings.enums import Quietness

from instruction_selection.core import console


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def run(monkeypatch):
    """Messages of a run of so many jobs, the way that Snakemake logs them; returns what is printed."""
    monkeypatch.setenv("TERM", "xterm")

    def run(stream, jobs=3, quiet=()):
        logger = logging.Logger("snakemake.test")
        handler = ColorizingTextHandler(nocolor=True, stream=stream)
        handler.name = "DefaultStreamHandler"
        handler.addFilter(DefaultFilter(quiet, debug_dag=False, verbose=False, dryrun=False, printshellcmds=True))
        handler.setFormatter(DefaultFormatter(quiet))
        logger.addHandler(handler)
        console.install(logger)
        logger.info("Building DAG of jobs...")
        logger.info("Provided cores: 2", extra={"event": "resources_info"})
        logger.info("Select jobs to execute...")
        for job in range(jobs):
            described = {
                "jobid": job,
                "rule_name": f"rule_{job}",
                "rule_msg": f"Doing  {job}\nnow",
                "reason": "x" * 3000,
            }
            logger.info("job", extra={"event": "job_info", **described})
        logger.warning("Something to read")
        for job in reversed(range(jobs)):
            logger.info("Finished", extra={"event": "job_finished", "job_id": job})
            logger.info(None, extra={"event": "progress", "done": jobs - job, "total": jobs})
        return stream.getvalue()

    return run


def test_console__every_job_has_one_line_with_its_number_time_rule_and_message(run):
    lines = run(io.StringIO()).splitlines()
    assert lines[:2] == ["Building DAG of jobs...", "Something to read"]
    assert [line.split(maxsplit=3) for line in lines[2:]] == [
        [f"{count}/3", "0:00", f"rule_{3 - count}", f"Doing {3 - count} now"] for count in (1, 2, 3)
    ]


def test_console__file_has_no_escape_codes_and_no_bar(run):
    text = run(io.StringIO())
    assert not re.search("[\033\r█░]", text)


def test_console__terminal_has_a_bar_below_the_lines_which_is_gone_at_the_end(run):
    *before, last = run(Terminal()).split(console.CLEAR)
    assert "1/3, 2 running, 2 left" in "".join(before)
    assert last.splitlines() == ["3/3     0:00  rule_0                 Doing 0 now"]


@pytest.mark.parametrize(
    ("quiet", "shown"),
    [({Quietness.ALL}, ""), ({Quietness.PROGRESS}, "Building DAG of jobs...\nSomething to read\n")],
)
def test_console__is_as_quiet_as_asked(run, quiet, shown):
    assert run(io.StringIO(), quiet=quiet) == shown


def test_console__jobs_of_a_group_are_numbered_in_turn(run):
    stream = io.StringIO()
    run(stream, jobs=0)
    handler = console.OneLinePerJob(logging.StreamHandler(stream))
    for job in (1, 2):
        handler.handle(logging.makeLogRecord({"event": "job_finished", "job_id": job}))
    handler.handle(logging.makeLogRecord({"event": "progress", "done": 5, "total": 9}))
    assert re.findall(r"^(\d)/9", stream.getvalue(), re.MULTILINE) == ["4", "5"]


def test_console__error_is_shown_as_snakemake_does(run):
    stream = io.StringIO()
    handler = console.OneLinePerJob(logging.StreamHandler(stream))
    handler.handle(logging.makeLogRecord({"event": "job_error", "jobid": 1, "msg": "Error in rule x", "levelno": 40}))
    assert stream.getvalue() == "Error in rule x\n"


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0:00"), (59.6, "1:00"), (3599, "59:59"), (36000, "10:00:00")])
def test_duration__has_hours_where_there_are_any(seconds, shown):
    assert console.duration(seconds) == shown


@pytest.mark.parametrize("total", [1, 7, 500])
def test_bar__is_full_only_at_the_end(total):
    lengths = [console.bar(done, total).count("█") for done in range(total + 1)]
    assert lengths == sorted(lengths)
    assert (lengths[0], lengths[-1]) == (0, console.BAR)
    assert max(lengths[:-1]) < console.BAR


def test_tables__are_those_of_the_files_without_their_prose(tmp_path):
    path = tmp_path / "logic.md"
    path.write_text("## Logic\n\nPuzzles.\n\n### Loss\n\n| a |    b |\n| - | ---: |\n| 1 | +2\\* |\n\nA note.\n")
    assert console.tables([path]) == "\nLogic\n\nLoss\n| a |    b |\n| - | ---: |\n| 1 | +2*  |"
