"""envs/*.lock have every package of the laptop environment, pinned and with the hashes of its files."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENVS = Path(__file__).resolve().parents[2] / "envs"
LOCKS = {"laptop.lock": ["laptop.txt", "tests.txt"], "laptop-no-deps.lock": ["laptop-no-deps.txt"]}
#: Installed by its version; envs/uv.toml says why.
NOT_LOCKED = {"torch"}


def pins(name: str) -> dict[str, set[str]]:
    """Versions by name; a lock may have one for each of several Pythons."""
    found = {}
    for line in (ENVS / name).read_text().replace("\\\n", "").splitlines():
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line.split("--hash")[0])
            [specifier] = requirement.specifier
            assert specifier.operator == "=="
            found.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_pin__is_locked_at_its_version(lock):
    locked = pins(lock)
    wanted = {name: versions for source in LOCKS[lock] for name, versions in pins(source).items()}
    assert {name: locked.get(name) for name in wanted.keys() - NOT_LOCKED} == {
        name: versions for name, versions in wanted.items() if name not in NOT_LOCKED
    }, "run `make lock`"
    assert not NOT_LOCKED & locked.keys()


@pytest.mark.parametrize("lock", LOCKS)
def test_line__has_a_hash_and_names_no_place(lock):
    text = (ENVS / lock).read_text()
    for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]:
        assert re.fullmatch(r"[a-z0-9._-]+==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n", entry), entry
    assert "://" not in text
    assert "index-url" not in text


def test_locked_packages__need_only_locked_packages():
    locked = pins("laptop.lock")
    missing = set()
    for name in locked:
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # of another platform
            continue
        for requirement in map(Requirement, needed):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                missing |= {canonicalize_name(requirement.name)} - locked.keys() - NOT_LOCKED
    assert missing == set()
