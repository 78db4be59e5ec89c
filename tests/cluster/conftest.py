"""A SLURM cluster, and a whole run on it."""

import shutil
from collections.abc import Iterator

import pytest
from support import mini_slurm
from support.on_cluster import OnCluster, activated, at


@pytest.fixture(scope="session", autouse=True)
def can_run_slurm() -> None:
    reasons = mini_slurm.missing()
    if reasons:
        pytest.skip(f"a SLURM cluster cannot be started here: {', '.join(reasons)}")


@pytest.fixture(scope="session")
def cluster() -> Iterator[dict[str, str]]:
    """The environment of a cluster of one node with two pretended GPUs."""
    with mini_slurm.running() as environment:
        yield activated(environment)


@pytest.fixture(scope="session")
def submitted(fresh, cluster, tmp_path_factory) -> OnCluster:
    """A checkout after a whole run of the smallest experiment through SLURM."""
    checkout = at(tmp_path_factory.mktemp("submitted") / "checkout", fresh, cluster)
    status, output = checkout.submit()
    assert status == 0, output
    checkout.output = output
    return checkout


@pytest.fixture
def copy(submitted, tmp_path) -> OnCluster:
    shutil.copytree(submitted.path, tmp_path / "copy", symlinks=True)
    return OnCluster(tmp_path / "copy", submitted.environment)
