"""Fixtures shared by all tests. Nothing here, and nothing in the tests, reaches a network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import parallel, rejections, skips, small
from support.checkout import Checkout
from support.running import Run

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from hypothesis import settings

# Machines that run tests are shared, so a slow example is no failure; and a change is judged by the same examples as
# the one before it, while developers' runs look for new ones.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser):
    parser.addoption(
        "--write-sentences", action="store_true", help="rewrite tests/sentences.txt for the tests that run"
    )
    parser.addoption(
        "--no-silent-skips",
        action="store_true",
        help="fail if a test is skipped and tests/allowed_skips.txt says not why",
    )


def pytest_configure(config):
    # Reports of all processes reach the one that started them.
    if config.getoption("--no-silent-skips") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(skips.NoSilentSkips())
    if config.getoption("--write-sentences") and config.getoption("numprocesses"):
        raise pytest.UsageError("--write-sentences needs a run in one process, without -n")


def pytest_xdist_make_scheduler(config, log):
    return parallel.ByFile(config, log)


def pytest_sessionfinish(session):
    if session.config.getoption("--write-sentences"):
        rejections.write()


@pytest.fixture(autouse=True)
def sentences(request):
    """Compares the sentences of this test's rejections with the snapshot."""
    # Without its folder, so that a test may be moved.
    name = f"{request.path.name}::{request.node.name}"
    rejections.running.append(name)
    yield
    rejections.running.pop()
    if not request.config.getoption("--write-sentences"):
        rejections.check(name)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """The smoke experiment's model, made as the workflow makes it."""
    from instruction_selection.experiment import load
    from instruction_selection.experiment.model import Model
    from instruction_selection.models.prepare import prepare

    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    prepare(load.read_entry(REPOSITORY / "config", Model, "tiny-llama").plain(), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_adapter(tiny_model, tmp_path_factory) -> Path:
    """A LoRA adapter with both matrices random, so that no gradient vanishes."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from instruction_selection.models import checksummed_folder

    torch.manual_seed(1)
    network = get_peft_model(
        AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32),
        LoraConfig(r=4, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"]),
    )
    for name, parameter in network.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    folder = tmp_path_factory.mktemp("adapters") / "tiny"
    with checksummed_folder.create(folder) as partial:
        network.save_pretrained(partial)
    return folder


@pytest.fixture(scope="session")
def some_rows() -> list[dict]:
    """Real pool rows of very different lengths."""
    from instruction_selection.data import sampling

    return sampling.sample("reasoning-gym", ["chain_sum", "gsm_symbolic", "knights_knaves"], "pool", 11, seed=3)


@pytest.fixture(scope="session")
def small_mirror(tmp_path_factory) -> Path:
    """A few rows of every public source."""
    from support import mirror

    return mirror.build(tmp_path_factory.mktemp("mirror"))


@pytest.fixture
def fetched(small_mirror, tmp_path):
    """A function of an entry's kind and name: what its config file says, and the manifest of its fetched files."""
    from instruction_selection.data import hub
    from instruction_selection.experiment import load, schemas

    def fetch(kind: str, name: str) -> tuple[dict, Path]:
        entry = load.read_entry(REPOSITORY / "config", schemas.KINDS[kind], name)
        manifest = tmp_path / "cache" / "manifests" / kind / f"{name}.json"
        hub.fetch({key: source.plain() for key, source in entry.sources().items()}, manifest, small_mirror)
        return entry.plain(), manifest

    return fetch


@pytest.fixture(scope="session")
def fresh(tmp_path_factory, repository) -> Checkout:
    """A copy of the working tree, with its history, which artifacts name. Nothing has been run in it."""
    path = tmp_path_factory.mktemp("fresh") / "checkout"
    path.mkdir()
    # Not a clone, so that uncommitted work is tested.
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (repository / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, path / name)
    shutil.copytree(repository / ".git", path / ".git")
    return Checkout(path)


@pytest.fixture(scope="session")
def finished(fresh, tmp_path_factory) -> Checkout:
    """The checkout after a whole run of the smoke experiment. Tests that change anything take a `copy`."""

    def make(path: Path) -> None:
        result = Checkout(shutil.copytree(fresh.path, path)).snakemake()
        assert result.returncode == 0, result.stdout + result.stderr

    return Checkout(parallel.made_once("finished", make, tmp_path_factory))


@pytest.fixture(scope="session")
def undisturbed(fresh, tmp_path_factory) -> Run:
    """A whole run of the smallest experiment (`support.small`). Tests that change anything take a copy."""

    def make(path: Path) -> None:
        Run(small.copied(fresh, path)).finish()

    return Run(parallel.made_once("undisturbed", make, tmp_path_factory))


@pytest.fixture
def copy(finished, tmp_path) -> Checkout:
    shutil.copytree(finished.path, tmp_path / "copy", symlinks=True)
    return Checkout(tmp_path / "copy")
