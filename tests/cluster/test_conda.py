"""Rules run in the conda environment that they name, on this machine and through SLURM."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import conda_channel
from support.on_cluster import describe_site

pytestmark = pytest.mark.slurm

SNAKEFILE = """\
rule all:
    input:
        expand("{name}.json", name=["old", "new"]),


rule greet:
    output:
        "{name}.json",
    wildcard_constraints:
        name="old|new",
    conda:
        "{name}.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    script:
        "greet.py"


rule forgotten:
    output:
        "forgotten.json",
    conda:
        "forgotten.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    script:
        "greet.py"
"""
SCRIPT = """\
import json
import sys

import greeting

with open(snakemake.output[0], "w") as file:
    json.dump({"prefix": sys.prefix, "text": greeting.TEXT}, file)
"""
ENVIRONMENT = "channels: [conda-forge]\ndependencies: [{}]\n"


@pytest.fixture(scope="module")
def channel(tmp_path_factory) -> Path:
    """A channel with this machine's Python, and with two versions of a module."""
    folder = tmp_path_factory.mktemp("conda") / "channel"
    conda_channel.write_python(folder)
    release = Path(os.path.__file__).parent.name
    for version, text in (("1.0", "hello"), ("2.0", "good day")):
        # Not in site-packages, which Debian's Python calls otherwise.
        module = {f"lib/{release}/greeting.py": f"TEXT = {text!r}\n"}
        conda_channel.write_package(folder, "linux-64", "greeting", version, module, ["python"])
    conda_channel.write_index(folder)
    return folder


@pytest.fixture
def workflow(channel, cluster, repository, tmp_path):
    """(folder of a small workflow, environment variables with `conda` and SLURM's commands)."""
    folder = tmp_path / "workflow"
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "greet.py").write_text(SCRIPT)
    packages = {"old": "python, greeting=1", "new": "python, greeting", "forgotten": "python"}
    for name, wanted in packages.items():
        (folder / f"{name}.yaml").write_text(ENVIRONMENT.format(wanted))
    shutil.copytree(repository / "slurm", folder / "slurm")
    describe_site(folder / "slurm" / "config.yaml")
    variables = conda_channel.write_conda(tmp_path / "conda", channel)
    return folder, {**cluster, **variables, "PATH": f"{tmp_path / 'conda' / 'bin'}:{cluster['PATH']}"}


def run(workflow, *arguments: str) -> subprocess.CompletedProcess:
    folder, environment = workflow
    command = ["snakemake", "--sdm", "conda", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize("where", [("--cores", "1"), ("--profile", "slurm", "--retries", "0")], ids=["here", "slurm"])
def test_rule__has_its_own_packages(workflow, where):
    result = run(workflow, *where)
    assert result.returncode == 0, result.stdout + result.stderr
    old, new = (json.loads((workflow[0] / f"{name}.json").read_text()) for name in ("old", "new"))
    assert (old["text"], new["text"]) == ("hello", "good day")
    assert old["prefix"] != new["prefix"]
    for made in (old, new):
        assert Path(made["prefix"]).is_relative_to(workflow[0] / ".snakemake/conda")


def test_script__fails_if_it_imports_what_its_environment_lacks(workflow):
    """Its environment has Python and nothing else."""
    result = run(workflow, "--cores", "1", "--", "forgotten.json")
    assert result.returncode == 1
    assert not (workflow[0] / "forgotten.json").exists()
    assert "No module named 'greeting'" in result.stdout + result.stderr
