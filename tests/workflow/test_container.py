"""The container's definition has the conda environments as they are now."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from support import conda_channel
from support.checkout import Checkout


@pytest.fixture
def checkout(fresh, tmp_path) -> Checkout:
    return Checkout(shutil.copytree(fresh.path, tmp_path / "checkout"))


@pytest.fixture
def write(checkout, tmp_path):
    """A function that writes container/Dockerfile of the checkout, and gives its text."""
    # Snakemake asks conda about itself, and creates no environment.
    conda = conda_channel.write_conda(tmp_path / "conda", tmp_path / "channel")
    environment = os.environ | conda | {"PATH": f"{tmp_path / 'conda/bin'}:{os.environ['PATH']}"}

    def run() -> str:
        command = [sys.executable, "container/write.py"]
        subprocess.run(command, cwd=checkout.path, env=environment, check=True)
        return (checkout.path / "container/Dockerfile").read_text()

    return run


def test_dockerfile__is_what_would_be_written_now(write, repository):
    assert write() == (repository / "container/Dockerfile").read_text(), "run `make container`"


def test_dockerfile__changes_with_a_post_deploy_script(write, checkout, repository):
    checkout.edit("envs/training.post-deploy.sh", "llamafactory==", "llamafactory==0")
    before, after = (
        set(re.findall(r"/conda-envs/\w{32}", text))
        for text in ((repository / "container/Dockerfile").read_text(), write())
    )
    assert len(before) == len(after) == len(list((repository / "envs").glob("*.yaml")))
    assert len(before - after) == 1


def test_dockerfile__runs_every_post_deploy_script(repository):
    text = (repository / "container/Dockerfile").read_text()
    scripts = {path.name for path in (repository / "envs").glob("*.post-deploy.sh")}
    assert set(re.findall(r"^COPY envs/(\S+\.post-deploy\.sh) ", text, re.MULTILINE)) == scripts
    for script in scripts:
        prefix = re.search(rf"^COPY envs/{script} (\S+)/post-deploy\.sh$", text, re.MULTILINE)[1]
        assert f"COPY envs/{script.partition('.')[0]}.yaml {prefix}/environment.yaml\n" in text
        assert f"RUN conda run --prefix {prefix} bash {prefix}/post-deploy.sh\n" in text
