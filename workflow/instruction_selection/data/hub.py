"""Public files: fetched once from the network or a mirror into a cache that is laid out like the hub.

Config files name the sources. Below the cache and below a mirror a file has the same path:
``datasets/<org>/<name>/<file>`` and ``<org>/<name>/<file>`` for the Hugging Face hub, ``<host>/<path>`` for other
addresses. So a cache can serve as another user's mirror. Local files are linked to below ``local``, so that the
manifest records them too. huggingface_hub downloads, but its own cache is not used: its layout of blobs and links is
for the hub alone, and another user cannot copy it as a folder of files.
"""

import os
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.core.packages import path_in_package

#: Environment variable with a mirror's folder; it takes precedence over an experiment's `hub.mirror`.
MIRROR = "INSTRUCTION_SELECTION_MIRROR"
#: A revision that cannot move: a commit.
COMMIT = re.compile("[0-9a-f]{40}")
PREFETCH = "run `snakemake prefetch --config experiment=NAME` on a machine with a network, or name a mirror"
NO_NETWORK = "cannot be fetched without a network"


def prepare_jobs(configured_mirror: str | None) -> Path | None:
    """Set the environment of all jobs: no access to the hub, and the mirror, if there is one. Returns the mirror.

    The mirror is in the environment and not in a rule's `params`, so that fetching from elsewhere reruns nothing.
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
    """Those of an entry's sources that have to be fetched; others are in installed packages or are generated."""
    return {name: source for name, source in sources.items() if source["kind"] in FETCHERS}


def fetch(sources: dict[str, dict], manifest: str | Path, mirror: Path | None) -> None:
    """Bring the files of some sources into the cache and list them in `manifest`, ``<cache>/manifests/*/*.json``.

    With a `mirror`, nothing comes from the network, and its files are linked to instead of copied. The manifest does
    not depend on where the files came from. Raises `InputError` if a file is missing or cannot be downloaded.
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
    """The local files among some sources, which the user may edit. Raises `InputError` if a pattern matches none."""
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
    if manifest is None:
        raise ValueError(f"the source {name!r} is fetched, so it needs a manifest")
    found = {_cache(manifest) / file: digest for file, digest in files.read_json(manifest)[name]["files"].items()}
    for path, digest in found.items():
        if not path.is_file():
            sentence = f"this fetched file no longer exists: add --forcerun fetch, and {PREFETCH}"
            raise InputError("fetched-file-missing", sentence, path=path)
        if files.sha256(path) != digest:
            sentence = f"this file has changed since it was fetched (its SHA-256 is not that in {manifest})"
            raise InputError("fetched-file-changed", f"{sentence}; delete both and run again", path=path)
    return list(found)


def reject_if_gated(where: str, sources: dict[str, dict], mirror: Path | None) -> None:
    """Raise `InputError` if a source to be fetched requires accepting a licence and the user has not logged in.

    `where` is the config file that names the sources.
    """
    gated = [source for source in fetched(sources).values() if source.get("gated")]
    if not gated or mirror:
        return
    from huggingface_hub import get_token

    if get_token() is None:
        raise _gated(gated[0], where)


def _gated(source: dict, path: str | None = None) -> InputError:
    return InputError(
        "gated",
        f"{source['repository']} is gated: accept its licence at https://huggingface.co/{source['repository']} and log "
        "in (`hf auth login`, or a token in HF_TOKEN), or name a mirror",
        path=path,
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
        raise InputError("no-such-file", f"this folder has no file {pattern}", path=folder)
    return found


def _matches(name: str, pattern: str) -> bool:
    """Whether a name matches, as on disk: * does not cross folders, and a name with `..` matches nothing."""
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
    api, repo_id = HfApi(), repository.removeprefix("datasets/")
    kind, information_of = ("model", api.model_info) if repo_id == repository else ("dataset", api.dataset_info)
    try:
        information = information_of(repo_id, revision=source["revision"])
        if COMMIT.fullmatch(source["revision"]) and information.sha != source["revision"]:
            sentence = f"commit {source['revision']} is requested, but the hub returned {information.sha}"
            raise InputError("other-commit", sentence, path=repository)
        available = sorted(sibling.rfilename for sibling in information.siblings or ())
        names = []
        for pattern in source["files"]:
            matching = [name for name in available if _matches(name, pattern)]
            if not matching:
                sentence = f"revision {source['revision']} has no file {pattern}"
                raise InputError("no-such-file", sentence, path=repository)
            names += matching
        for name in names:
            api.hf_hub_download(repo_id, name, repo_type=kind, revision=information.sha, local_dir=cache / repository)
    except GatedRepoError as error:
        raise _gated(source) from error
    except (httpx.TransportError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise InputError("no-network", f"{NO_NETWORK}: {PREFETCH}", path=repository) from error
    except HfHubHTTPError as error:
        sentence = f"revision {source['revision']} cannot be fetched ({' '.join(str(error).split())})"
        raise InputError("http-error", sentence, path=repository) from error
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
            sentence = f"cannot be fetched (HTTP status {error.response.status_code})"
            raise InputError("http-error", sentence, path=address) from error
        except httpx.TransportError as error:
            raise InputError("no-network", f"{NO_NETWORK}: {PREFETCH}", path=address) from error
    return list(source["files"])


FETCHERS: dict[str, Callable[[dict, Path], list[str]]] = {
    "folder": _from_folder,
    "hub": _from_hub,
    "url": _from_url,
}
