"""A checkout in which Snakemake submits to a cluster, and whose `slurm` profile says what a site would say of it."""

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from support import small
from support.checkout import Checkout

#: No accounting database to ask, and jobs of seconds.
SITE = """
slurm-status-command: squeue
slurm-init-seconds-before-status-checks: 2
"""


@dataclass
class OnCluster(Checkout):
    """A checkout in which Snakemake submits to a cluster."""

    environment: dict[str, str] = field(default_factory=dict)
    #: Output of the run that made the results.
    output: str = ""

    def start(self, *arguments: str, experiment: str = small.EXPERIMENT) -> subprocess.Popen:
        """As a user types it, so with whatever else stands in the profile."""
        command = ["snakemake", "--profile", "slurm", "--config", f"experiment={experiment}", *arguments]
        return subprocess.Popen(
            command, cwd=self.path, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def submit(self, *arguments: str) -> tuple[int, str]:
        """(exit status, output) of a run."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=1200)
        return process.returncode, output

    def slurm(self, *command: str) -> str:
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout

    def running(self, rule: str) -> list[str]:
        """Ids of the jobs of a rule that run now."""
        jobs = [line.split(maxsplit=1) for line in self.slurm("squeue", "-h", "-t", "R", "-o", "%i %k").splitlines()]
        return [number for number, comment in jobs if comment.startswith(f"rule_{rule}_")]

    def wait_for(self, condition, seconds: float = 300):
        """What `condition` gives, once that is true."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, self.slurm("squeue")
            time.sleep(0.2)
        return value


def at(path: Path, source: Checkout, environment: dict[str, str]) -> OnCluster:
    """A copy of a checkout that has the smallest experiment, and whose profile describes the cluster."""
    small.copied(source, path)
    describe_site(path / "slurm" / "config.yaml")
    return OnCluster(path, environment)


def describe_site(profile: Path) -> None:
    """Edit the profile as a user of the cluster would; once."""
    text = profile.read_text().removesuffix(SITE)
    # There is no conda here: every rule runs in the environment of the tests.
    profile.write_text(text.replace("software-deployment-method: conda\n", "") + SITE)


def activated(environment: dict[str, str]) -> dict[str, str]:
    """With the commands of the environment that tests run in, as after activating it."""
    return {**environment, "PATH": f"{environment['PATH']}:{Path(sys.executable).parent}"}
