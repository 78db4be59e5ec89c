"""Runs of Snakemake that are watched, killed, and compared with one that was left alone."""

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from support.checkout import Checkout
from support.small import EXPERIMENT, RESULTS

KILLING = Path(__file__).parent / "killing"
#: What the run says at its end after any failure.
GO_ON = "run the same command again to resume"


class Run:
    """An experiment in a checkout of its own."""

    def __init__(self, path: Path):
        self.path = path
        self.results = path / RESULTS

    def snakemake(self, *arguments: str, kill_at: str | None = None, **environment: str) -> subprocess.CompletedProcess:
        """Run to the end; with `kill_at` (`killing/sitecustomize.py`) a job is killed on the way."""
        if kill_at:
            environment |= {
                "KILL_AT": kill_at,
                "PYTHONPATH": f"{KILLING}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            }
        return subprocess.run(
            self._command(*arguments),
            cwd=self.path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def finish(self, *arguments: str, **environment: str) -> str:
        """Run, which has to succeed; returns its output."""
        done = self.snakemake(*arguments, **environment)
        assert done.returncode == 0, said(done)
        return said(done)

    @contextlib.contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen]:
        """A run that continues during the block, in its own session, as a login's."""
        process = subprocess.Popen(
            self._command(*arguments),
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def killed_job(self, moment: Callable[["Run"], bool]) -> subprocess.CompletedProcess:
        """Run, and at that moment kill the job with all its processes, but not Snakemake."""
        with self.started() as process:
            wait(lambda: moment(self), process)
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            output, _ = process.communicate(timeout=300)
        return subprocess.CompletedProcess([], process.returncode, output, "")

    def planned(self, *arguments: str) -> dict[str, int]:
        return Checkout(self.path).planned(EXPERIMENT, *arguments)

    def edit(self, relative: str, old: str, new: str) -> None:
        Checkout(self.path).edit(relative, old, new)

    def tables(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted((self.results / "tables").glob("*.csv"))}

    def jobs(self) -> dict[str, int]:
        """When each finished job finished: Snakemake writes a benchmark file at its end."""
        folder = self.results / "benchmarks"
        return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*.tsv")}

    def log(self, relative: str) -> str:
        path = self.results / "logs" / relative
        return path.read_text() if path.exists() else ""

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", "1", "--config", f"experiment={EXPERIMENT}", *arguments]


def wait(moment: Callable[[], bool], process: subprocess.Popen | None = None, seconds: int = 300) -> None:
    """Until `moment` is there, which has to be while the process runs."""
    end = time.monotonic() + seconds
    while not moment():
        assert time.monotonic() < end, "it did not happen in time"
        if process is not None and process.poll() is not None:
            raise AssertionError("the run ended before:\n" + process.stdout.read())
        time.sleep(0.005)


def said(done: subprocess.CompletedProcess) -> str:
    return done.stdout + done.stderr


def jobs_of(output: str) -> list[str]:
    """The rules whose jobs were done, in their order."""
    return re.findall(r"^ *\d+/\d+ +[\d:]+  (\w+)", output, re.MULTILINE)


def sentence(done: subprocess.CompletedProcess, words: str) -> None:
    """The run failed, with these words on one line, without a traceback, and with how to go on."""
    output = said(done)
    assert done.returncode == 1, output
    assert any(words in line for line in output.splitlines()), f"{words!r} is not in:\n{output}"
    assert "Traceback" not in output
    assert GO_ON in output


def redone(run: Run, before: dict[str, int]) -> set[str]:
    """Of the jobs that were finished `before`, the rules of those that have been done again."""
    after = run.jobs()
    return {name.split("/")[0].removesuffix(".tsv") for name in before if after.get(name) != before[name]}


def damage(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file's bytes and not its time, as a disk does."""
    times = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
