"""A folder of weights is whole and the one that was made, or its file is named."""

import os
import shutil
from pathlib import Path

import pytest
from support.rejections import rejected
from support.unchanged import unchanged

from instruction_selection.core import files
from instruction_selection.models import checksummed_folder, summary

CONTENT = {"config.json": b"{}", "model.safetensors": b"weights" * 100, summary.NAME: b'{"when": "today"}'}


def make(folder: Path, content: dict[str, bytes] = CONTENT) -> Path:
    with checksummed_folder.create(folder) as partial:
        for name, written in content.items():
            (partial / name).write_bytes(written)
    return folder


def change(path: Path, content: bytes) -> None:
    """In place, with the same size and modification time as before."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns)


def test_identity__is_that_of_the_contents_and_not_of_the_place(tmp_path):
    one = checksummed_folder.identity(make(tmp_path / "one"))
    assert one == checksummed_folder.identity(make(tmp_path / "deep/er", dict(reversed(CONTENT.items()))))
    assert one == checksummed_folder.identity(Path(shutil.copytree(tmp_path / "one", tmp_path / "copy")))
    (tmp_path / "one").rename(tmp_path / "moved")
    assert one == checksummed_folder.identity(tmp_path / "moved")


def test_identity__counts_every_file_but_the_summary(tmp_path):
    one = checksummed_folder.identity(make(tmp_path / "one"))
    for name in CONTENT:
        other = checksummed_folder.identity(make(tmp_path / "other", {**CONTENT, name: b"other"}))
        assert (other == one) == (name == summary.NAME)


@pytest.mark.parametrize("name", CONTENT)
@pytest.mark.parametrize("first", [True, False], ids=["before the first job", "after it"])
def test_identity__notices_a_file_that_was_changed_in_place(tmp_path, name, first):
    folder = make(tmp_path / "model")
    if not first:
        checksummed_folder.identity(folder)
    change(folder / name, bytes([CONTENT[name][0] ^ 1]) + CONTENT[name][1:])
    with rejected("damaged", path=folder / name) as caught:
        checksummed_folder.identity(folder)
    assert str(folder) in str(caught.value).replace(str(folder / name), "")
    change(folder / name, CONTENT[name])
    checksummed_folder.identity(folder)


def test_identity__notices_a_link_whose_target_was_changed(tmp_path):
    target = tmp_path / "mirror" / "model.safetensors"
    files.write_text(target, "weights")
    with unchanged(tmp_path / "mirror"), checksummed_folder.create(tmp_path / "model") as partial:
        (partial / target.name).symlink_to(target)
    checksummed_folder.identity(tmp_path / "model")
    change(target, b"Weights")
    with rejected("damaged", path="model/model.safetensors"):
        checksummed_folder.identity(tmp_path / "model")
    target.unlink()
    with rejected("damaged", path="model/model.safetensors"):
        checksummed_folder.identity(tmp_path / "model")


def test_identity__hashes_only_what_may_have_changed(tmp_path):
    """A marker with the state of a changed file, which no program can bring about, hides the change."""
    folder = make(tmp_path / "model")
    marker = tmp_path / ".model.verified.json"
    change(folder / "config.json", b"[]")
    known = files.read_json(marker)
    about = (folder / "config.json").stat()
    state = [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]
    files.write_json(marker, {**known, "config.json": [*state, known["config.json"][-1]]})
    checksummed_folder.identity(folder)
    marker.unlink()
    with rejected("damaged", path="config.json"):
        checksummed_folder.identity(folder)


@pytest.mark.parametrize("name", [name for name in CONTENT if name != summary.NAME])
def test_identity__notices_a_file_that_is_missing(tmp_path, name):
    folder = make(tmp_path / "model")
    (folder / name).unlink()
    with rejected("damaged", path=name):
        checksummed_folder.identity(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"config.json": [1]}'])
def test_identity__does_without_its_marker(tmp_path, content):
    folder = make(tmp_path / "model")
    marker = tmp_path / ".model.verified.json"
    expected = checksummed_folder.identity(folder)
    marker.write_bytes(content)
    assert checksummed_folder.identity(folder) == expected
    assert files.read_json(marker).keys() == CONTENT.keys()
    # As in a folder that cannot be written to.
    marker.unlink()
    marker.mkdir()
    assert checksummed_folder.identity(folder) == expected


def test_identity__of_a_folder_that_was_not_made_here_is_rejected(tmp_path):
    with rejected("no-checksums", path=tmp_path):
        checksummed_folder.identity(tmp_path)


def test_create__leaves_the_old_folder_if_it_fails(tmp_path):
    folder = make(tmp_path / "model")
    with pytest.raises(RuntimeError), checksummed_folder.create(folder) as partial:  # noqa: PT012
        (partial / "config.json").write_text("half")
        raise RuntimeError
    checksummed_folder.identity(folder)
    make(folder, {"config.json": b"new"})
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", checksummed_folder.NAME]
