"""Writes container/Dockerfile: an image with the conda environments of envs/, as `snakemake --containerize` lists them.

Needs conda on the PATH, which Snakemake asks about itself. `make container` runs it after a change of envs/.
"""

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DOCKERFILE = REPOSITORY / "container" / "Dockerfile"
HEAD = """\
# Written by `make container` from envs/; docs/containers.md says how to use it.
"""
BASE = "condaforge/miniforge3:25.11.0-0"


def text() -> str:
    """What container/Dockerfile must contain now.

    Snakemake's own definition names no version of its base image, keeps pip's cache in the image, and knows nothing of
    the post-deploy scripts, without which two environments are incomplete.
    """
    command = [sys.executable, "-m", "snakemake", "--containerize"]
    generated = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True).stdout
    base, definition = generated.split("\n", 1)
    if base != "FROM condaforge/miniforge3:latest":
        sys.exit(f"container/write.py: unexpected base image of `snakemake --containerize`: {base}")
    scripts = [
        line
        for source, prefix in re.findall(r"^COPY (\S+)\.yaml (\S+)/environment\.yaml$", definition, re.MULTILINE)
        if (REPOSITORY / f"{source}.post-deploy.sh").exists()
        for line in (
            f"COPY {source}.post-deploy.sh {prefix}/post-deploy.sh",
            f"RUN conda run --prefix {prefix} bash {prefix}/post-deploy.sh",
        )
    ]
    return "\n".join([f"{HEAD}FROM {BASE}", "ENV PIP_NO_CACHE_DIR=1", definition.rstrip("\n"), "", *scripts, ""])


if __name__ == "__main__":
    DOCKERFILE.write_text(text(), encoding="utf-8")
