"""A job's output is in its log; its failure is one line on the console."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOW = Path(__file__).resolve().parents[3] / "workflow"
SCRIPT = """
import subprocess, sys
from instruction_selection.core import logs
from instruction_selection.core.errors import InputError

print("before")
with logs.to_file(sys.argv[1]):
    {body}
"""


@pytest.fixture
def run(tmp_path):
    """Run a statement inside `to_file`; gives the finished process, the log's text and the log's path."""

    def run(body: str):
        script, log = tmp_path / "script.py", tmp_path / "logs" / "job.log"
        script.write_text(SCRIPT.format(body=body))
        done = subprocess.run(
            [sys.executable, script, log],
            env={**os.environ, "PYTHONPATH": str(WORKFLOW)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done, log.read_text(), log

    return run


def test_log__has_what_a_job_prints_and_the_console_has_not(run):
    done, log, _ = run("print('to stdout'); print('to stderr', file=sys.stderr)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "before\n", "")
    assert "to stdout\n" in log
    assert "to stderr\n" in log


def test_log__has_what_child_processes_print_and_the_console_has_not(run):
    done, log, _ = run("subprocess.run('echo child; echo trouble >&2', shell=True, check=True)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "before\n", "")
    assert "child\n" in log
    assert "trouble\n" in log


def test_input_error__is_its_sentence_and_no_traceback(run):
    done, log, _ = run("raise InputError('not-json', 'not JSON', path='rows.jsonl', key='line 3')")
    assert done.returncode == 1
    assert done.stderr.strip() == "rows.jsonl: line 3: not JSON."
    assert log.strip() == "rows.jsonl: line 3: not JSON."


def test_other_exception__is_one_line_and_a_traceback_in_the_log(run):
    done, log, path = run("raise ValueError('first\\nsecond')")
    assert done.returncode == 1
    assert done.stderr.strip() == f"ValueError: first second, see {path}"
    assert "Traceback (most recent call last)" in log
    assert "ValueError: first\nsecond" in log


def test_long_exception__stays_short_on_the_console(run):
    done, log, _ = run("raise ValueError('many words ' * 10_000)")
    assert len(done.stderr) < 1000
    assert len(log) > 100_000


def test_exit_status__is_kept(run):
    done, _, _ = run("sys.exit(7)")
    assert (done.returncode, done.stderr) == (7, "")


def test_second_process__does_not_join_a_running_job(run, tmp_path):
    """A child of the first one holds the lock, too, and Snakemake removes the log."""
    script, log = tmp_path / "first.py", tmp_path / "logs" / "job.log"
    script.write_text(SCRIPT.format(body="print(subprocess.Popen(['sleep', '60']).pid)"))
    environment = {**os.environ, "PYTHONPATH": str(WORKFLOW)}
    subprocess.run([sys.executable, script, log], env=environment, check=True)
    child = int(log.read_text())
    try:
        done, text, _ = run("print('second')")
        assert done.returncode == 1
        assert re.fullmatch(r".*job\.log: this job is still running as process \d+, .*", done.stderr.strip())
        assert text == f"{child}\n"
    finally:
        os.kill(child, signal.SIGKILL)
    assert run("print('third')")[0].returncode == 0


@pytest.mark.parametrize(
    "body",
    [
        "raise MemoryError('Unable to allocate 9 TiB')",
        "raise type('OutOfMemoryError', (RuntimeError,), {})('CUDA out of memory. Tried to allocate 9 TiB')",
        "__import__('numpy').ones(10**15)",
    ],
)
def test_too_little_memory__says_what_to_change(run, body):
    done, log, path = run(body)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(f"{path}: out of memory (")
    assert "; give the job more memory, or make its batches smaller (gradients.batch_tokens," in done.stderr
    assert "Traceback" in log


def test_caches__are_beside_the_log_while_the_job_runs(run):
    body = "import os, pathlib; folder = pathlib.Path(os.environ['HF_DATASETS_CACHE']); folder.mkdir(parents=True)"
    done, _, log = run(f"{body}; print(folder, file=sys.__stdout__); sys.exit(3)")
    caches = log.with_name(f".{log.name}.caches")
    assert done.returncode == 3
    assert not caches.exists()
    # Those of a job that was killed are not read by the next one.
    done, _, _ = run(f"{body}; (folder / 'old').touch(); os.kill(os.getpid(), 9)")
    assert done.returncode == -signal.SIGKILL
    assert list(caches.rglob("old"))
    done, text, _ = run(f"{body}; print(list(folder.iterdir()))")
    assert (done.returncode, text) == (0, "[]\n")
