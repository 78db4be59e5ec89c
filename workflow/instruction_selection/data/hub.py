"""Public files: fetched once into a folder that is laid out like the hub, from the network or from a mirror.

A source is named in a config file (``experiment/sources.py``). Below the cache and below a mirror its
files have the same path: ``datasets/<org>/<name>/<file>`` and ``<org>/<name>/<file>`` for the Hugging Face hub,
``<host>/<path>`` for other addresses. So a cache can serve as somebody else's mirror. Files of a folder of one's own
are linked to below ``local``, so that what was read is on record like everything else.
"""

import os
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.packages import path_in_package
from instruction_selection.core.uncoded_errors import InputError

#: Environment variable with a mirror's folder; goes before an experiment's `hub.mirror`.
MIRROR = "INSTRUCTION_SELECTION_MIRROR"
#: A revision that can only be one.
COMMIT = re.compile("[0-9a-f]{40}")
PREFETCH = "run `snakemake prefetch --config experiment=NAME` on a machine with a network, or name a mirror"


def prepare_jobs(configured_mirror: str | None) -> Path | None:
    """Set the environment of all jobs: hubs off, and where the mirror is, if there is one. Returns the mirror.

    The mirror is in the environment and not in a rule's `params`, because where a file came from is no reason to do
    anything again.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    if configured_mirror:
        os.environ.setdefault(MIRROR, configured_mirror)
    return mirror_folder()


def mirror_folder() -> Path | None:
    """The mirror to fetch from instead of the network, if there is one."""
    folder = os.environ.get(MIRROR)
    return Path(folder).expanduser() if folder else None


def fetched(sources: dict[str, dict]) -> dict[str, dict]:
    """Those of an entry's sources that have to be fetched; others are inside installed packages or are made."""
    return {name: source for name, source in sources.items() if source["kind"] in FETCHERS}


def fetch(sources: dict[str, dict], manifest: str | Path, mirror: Path | None) -> None:
    """Bring the files of some sources into the cache and list them in `manifest`, ``<cache>/manifests/*/*.json``.

    With a `mirror`, nothing comes from the network, and its files are linked to instead of copied. What the manifest
    says does not depend on where the files came from. Raises `InputError` if any file cannot be had.
    """
    cache = _cache(manifest)
    listing = {}
    for name, source in fetched(sources).items():
        folder = Path(_folder(source))
        if mirror and source["kind"] != "folder":
            names = _link(source, cache / folder, mirror / folder)
        else:
            names = FETCHERS[source["kind"]](source, cache)
        listing[name] = {
            "source": source,
            "files": {str(folder / file): files.sha256(cache / folder / file) for file in names},
        }
    files.write_json(manifest, listing)


def own_files(sources: dict[str, dict]) -> list[Path]:
    """Those that are in folders of one's own, and may be edited. Raises `InputError` if there are none."""
    folders = [source for source in sources.values() if source["kind"] == "folder"]
    return [path for source in folders for name in source["files"] for path in _matching(Path(source["folder"]), name)]


def paths(source: dict, manifest: str | Path | None, name: str) -> list[Path]:
    """The local files of a source, in the order of its `files`, each pattern's sorted.

    `manifest` is what `fetch` wrote, `name` the source's name there; neither matters for a source in a package.
    """
    if source["kind"] == "package":
        return [
            path for pattern in source["files"] for path in _matching(path_in_package(source["package"], ""), pattern)
        ]
    found = {_cache(manifest) / file: digest for file, digest in files.read_json(manifest)[name]["files"].items()}
    for path, digest in found.items():
        if not path.is_file():
            raise InputError(f"{path} was fetched and is not there any more: add --forcerun fetch, and {PREFETCH}.")
        if files.sha256(path) != digest:
            raise InputError(
                f"{path} is not the file that was fetched (its SHA-256 is not that in {manifest}): delete both and run "
                "again."
            )
    return list(found)


def refuse_if_gated(where: str, sources: dict[str, dict], mirror: Path | None) -> None:
    """Raise `InputError` if one of the sources to be fetched asks for a licence to be accepted, and nobody logged in.

    `where` is the config file that names the sources.
    """
    gated = [source for source in fetched(sources).values() if source.get("gated")]
    if not gated or mirror:
        return
    from huggingface_hub import get_token

    if get_token() is None:
        raise InputError(f"{where}: {_how_to_get(gated[0])}")


def _how_to_get(source: dict) -> str:
    return (
        f"{source['repository']} is gated: accept its licence at https://huggingface.co/{source['repository']} and log "
        "in (`hf auth login`, or a token in HF_TOKEN), or name a mirror."
    )


def _cache(manifest: str | Path) -> Path:
    return Path(manifest).parents[2]


def _folder(source: dict) -> str:
    if source["kind"] == "folder":
        return f"local/{source['folder'].strip('/')}"
    return source["repository"] if source["kind"] == "hub" else source["url"].split("://", 1)[1]


def _matching(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    if not found:
        raise InputError(f"{folder} has no {pattern}.")
    return found


def _matches(name: str, pattern: str) -> bool:
    """As in a folder on disk, where * does not go across folders; a name that leaves its folder matches nothing."""
    return ".." not in name.split("/") and name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def _link(source: dict, folder: Path, mirror: Path) -> list[str]:
    found = [path for pattern in source["files"] for path in _matching(mirror, pattern)]
    names = [str(path.relative_to(mirror)) for path in found]
    for name, path in zip(names, found, strict=True):
        # A cache may be its own mirror.
        if (folder / name).resolve() != path.resolve():
            with files.replacing(folder / name) as temporary:
                temporary.symlink_to(path.resolve())
    return list(dict.fromkeys(names))


def _from_folder(source: dict, cache: Path) -> list[str]:
    return _link(source, cache / _folder(source), Path(source["folder"]))


def _from_hub(source: dict, cache: Path) -> list[str]:
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    repository = source["repository"]
    kind = "dataset" if repository.startswith("datasets/") else "model"
    where = {"repo_id": repository.removeprefix("datasets/"), "repo_type": kind}
    try:
        information = HfApi().repo_info(**where, revision=source["revision"])
        if COMMIT.fullmatch(source["revision"]) and information.sha != source["revision"]:
            raise InputError(f"{repository}: {source['revision']} was asked for, and the hub has {information.sha}.")
        available = sorted(sibling.rfilename for sibling in information.siblings)
        names = []
        for pattern in source["files"]:
            matching = [name for name in available if _matches(name, pattern)]
            if not matching:
                raise InputError(f"{repository} at {source['revision']} has no {pattern}.")
            names += matching
        for name in names:
            HfApi().hf_hub_download(**where, filename=name, revision=information.sha, local_dir=cache / repository)
    except GatedRepoError as error:
        raise InputError(_how_to_get(source)) from error
    except (httpx.TransportError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise InputError(f"{repository} cannot be fetched without a network: {PREFETCH}.") from error
    except HfHubHTTPError as error:
        raise InputError(f"{repository} at {source['revision']}: {' '.join(str(error).split())}") from error
    return list(dict.fromkeys(names))


def _from_url(source: dict, cache: Path) -> list[str]:
    import httpx

    for name in source["files"]:
        address = f"{source['url']}/{name}"
        try:
            with (
                files.replacing(cache / _folder(source) / name) as temporary,
                httpx.stream("GET", address, follow_redirects=True) as response,
                temporary.open("wb") as handle,
            ):
                response.raise_for_status()
                for chunk in response.iter_bytes():
                    handle.write(chunk)
        except httpx.HTTPStatusError as error:
            raise InputError(f"{address}: HTTP status {error.response.status_code}.") from error
        except httpx.TransportError as error:
            raise InputError(f"{address} cannot be fetched without a network: {PREFETCH}.") from error
    return list(source["files"])


FETCHERS: dict[str, Callable[[dict, Path], list[str]]] = {
    "folder": _from_folder,
    "hub": _from_hub,
    "url": _from_url,
}
