"""Files of examples, of which a selection keeps the few columns that it reads; the text stays in the file."""

import functools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from instruction_selection.core import files
from instruction_selection.selection.texts import Text


@dataclass(frozen=True)
class Examples:
    """The N examples of a JSON-lines file, in its order: about 100 bytes of memory each."""

    path: str
    ids: list[str]
    tasks: list[str]
    #: int64 (N,), in characters.
    response_lengths: np.ndarray
    #: int64 (N,), the byte at which each one's line begins.
    offsets: np.ndarray

    @classmethod
    def read(cls, path: str | Path) -> "Examples":
        """Raises `InputError` for the first line that is not a JSON object."""
        ids, tasks, lengths, offsets = [], [], [], []
        with Path(path).open("rb") as handle:
            start = 0
            for number, line in enumerate(handle, start=1):
                example = files.parse_json_line(line, path, number)
                ids.append(example["id"])
                # The same few names again and again.
                tasks.append(sys.intern(example["task"]))
                lengths.append(len(example["response"]))
                offsets.append(start)
                start += len(line)
        return cls(str(path), ids, tasks, np.array(lengths, np.int64), np.array(offsets, np.int64))

    def __len__(self) -> int:
        return len(self.ids)

    @functools.cached_property
    def sha256(self) -> str:
        """Of the file."""
        return files.sha256(self.path)

    def texts(self, places: np.ndarray) -> Iterator[Text]:
        """The text of the examples `places` (n,), in this order, a line of the file at a time."""
        with Path(self.path).open("rb") as handle:
            for place, offset in zip(places.tolist(), self.offsets[places].tolist(), strict=True):
                handle.seek(offset)
                example = files.parse_json_line(handle.readline(), self.path, place + 1)
                yield Text(example["instruction"], example["response"])

    def copy(self, indices: Sequence[int] | np.ndarray, path: str | Path) -> None:
        """Write the lines of the examples `indices`, in this order and byte for byte, to `path`."""
        with files.replacing(path) as temporary, Path(self.path).open("rb") as source, temporary.open("wb") as target:
            for offset in self.offsets[np.asarray(indices, np.int64)].tolist():
                source.seek(offset)
                target.write(source.readline().removesuffix(b"\n") + b"\n")
