"""A copy of the project in which tests run Snakemake."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Checkout:
    """A checkout in which Snakemake can be run."""

    path: Path

    def snakemake(self, *arguments: str, experiment: str = "smoke") -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--config", f"experiment={experiment}"]
        return subprocess.run(
            [*command, *arguments], cwd=self.path, capture_output=True, text=True, check=False, timeout=1200
        )

    def planned(self, experiment: str = "smoke", *arguments: str) -> dict[str, int]:
        """Jobs per rule that a run would do now."""
        result = self.snakemake("--dry-run", *arguments, experiment=experiment)
        assert result.returncode == 0, result.stdout + result.stderr
        return {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)$", result.stdout, re.MULTILINE)}

    def edit(self, relative: str, old: str, new: str) -> None:
        path = self.path / relative
        text = path.read_text()
        assert old in text, f"{relative} does not contain {old!r}"
        path.write_text(text.replace(old, new))
