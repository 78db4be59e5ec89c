"""A channel of conda packages, made of this machine's Python and of modules that tests write."""

import asyncio
import hashlib
import io
import json
import sys
import sysconfig
import tarfile
from pathlib import Path

from rattler.index import index_fs

ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


def write_package(
    channel: Path, subdir: str, name: str, version: str, files: dict[str, Path | str], depends: list[str]
) -> None:
    """Write `files`, which maps a path in the package to a file or a text, as `name` of `version`."""
    contents = {
        path: source.encode() if isinstance(source, str) else source.read_bytes() for path, source in files.items()
    }
    paths = [
        {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
        for path, data in contents.items()
    ]
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "depends": depends, "subdir": subdir}
    if subdir == "linux-64":
        index |= {"platform": "linux", "arch": "x86_64"}
    contents["info/index.json"] = json.dumps(index).encode()
    contents["info/paths.json"] = json.dumps({"paths": paths, "paths_version": 1}).encode()
    contents["info/files"] = "\n".join(files).encode()
    path = channel / subdir / f"{name}-{version}-0.tar.bz2"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:bz2", compresslevel=1) as archive:
        for member, data in contents.items():
            entry = tarfile.TarInfo(member)
            entry.size, entry.mode = len(data), 0o755 if member.startswith("bin/") else 0o644
            archive.addfile(entry, io.BytesIO(data))


def write_python(channel: Path) -> None:
    """This machine's Python, whose libraries stay where they are."""
    library = Path(sysconfig.get_path("stdlib"))
    release = library.name
    unwanted = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "ensurepip", "__pycache__"}
    files: dict[str, Path | str] = {
        f"lib/{release}/{path.relative_to(library).as_posix()}": path
        for path in library.rglob("*")
        if path.is_file() and not unwanted & set(path.relative_to(library).parts) and path.suffix not in {".a", ".o"}
    }
    interpreter = Path(sys.base_prefix, "bin", release)
    files |= {f"bin/{name}": interpreter for name in ("python", release)}
    version = ".".join(map(str, sys.version_info[:3]))
    write_package(channel, "linux-64", "python", version, files, [])


def write_index(channel: Path) -> None:
    (channel / "noarch").mkdir(exist_ok=True)
    asyncio.run(index_fs(channel))


def write_conda(folder: Path, channel: Path) -> dict[str, str]:
    """Write a `conda` command for `channel`; returns the environment variables that it reads."""
    command = folder / "bin" / "conda"
    command.parent.mkdir(parents=True)
    client = Path(__file__).with_name("conda_client.py")
    command.write_text(f'#!/bin/sh\nexec {sys.executable} {client} "$@"\n')
    command.chmod(0o755)
    (folder / "bin" / "activate").write_text(ACTIVATE)
    return {"TEST_CHANNEL": str(channel), "TEST_CONDA_PREFIX": str(folder)}
