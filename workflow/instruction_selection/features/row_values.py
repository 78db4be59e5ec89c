"""What a model says of each example of a file, in HDF5 with their ids and what made it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from instruction_selection.core import code as source
from instruction_selection.core import files, provenance
from instruction_selection.core.example import Example
from instruction_selection.features import checksummed_hdf5
from instruction_selection.models import checksummed_folder


def made_by_model(model: str | Path, template: str, cutoff_len: int, code: Mapping[str, str] | None) -> dict[str, Any]:
    """What decides the values of tokenized examples under a base model, for `made_with`."""
    return {
        "model": checksummed_folder.identity(model),
        "template": template,
        "cutoff_len": cutoff_len,
        "code": source.digest(code),
    }


def write(
    path: str | Path,
    rows_path: str | Path,
    rows: list[Example],
    name: str,
    values: np.ndarray,
    made_with: Mapping[str, Any],
    packages: Iterable[str] = (),
) -> None:
    """Write `values` (examples x width) as the data set `name`, with the ids of the `rows` of a JSON-lines file.

    The attribute `identity` (JSON) records the file's hash and `made_with`. `packages` are those whose versions are
    recorded in addition to torch's and h5py's.
    """
    with files.replacing(path) as temporary:
        with checksummed_hdf5.create(temporary) as store:
            store.create_dataset(name, data=values, fletcher32=True, chunks=True)
            store.create_dataset("id", data=checksummed_hdf5.encoded_ids([row["id"] for row in rows], path))
            store.attrs["identity"] = json.dumps({"rows": files.sha256(rows_path), **made_with}, sort_keys=True)
            store.attrs["git_commit"] = provenance.git_commit()
            for package, version in provenance.versions("torch", "h5py", *packages).items():
                store.attrs[f"version_{package}"] = version
        checksummed_hdf5.write_checksum(temporary)
