"""The text of examples as a method reads it: of validation rows in memory, of a pool from its file, one at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, Self

import numpy as np


class Text(NamedTuple):
    """What an example says."""

    instruction: str
    response: str

    def __str__(self) -> str:
        """Both, for methods that read an example as one text."""
        return f"{self.instruction}\n{self.response}"


class Texts:
    """The texts of N examples; iterating reads them in order, again each time.

    `read` gives the texts at places (n,) of the source, in this order; `places` (N,) are those of these examples.
    `subtasks` (N,) are names of the subtasks that they belong to, of validation rows only.
    """

    def __init__(
        self,
        read: Callable[[np.ndarray], Iterator[Text]],
        places: np.ndarray,
        subtasks: np.ndarray | None = None,
    ):
        self._read, self._places = read, places
        self.subtasks = subtasks

    @classmethod
    def of(cls, texts: Iterable[tuple[str, str]], subtasks: Sequence[str] | np.ndarray | None = None) -> Self:
        """From pairs of instruction and response in memory; without `subtasks`, all are of one."""
        kept = [Text(*text) for text in texts]
        names = np.repeat("all", len(kept)) if subtasks is None else np.asarray(subtasks)
        return cls(lambda places: (kept[place] for place in places), np.arange(len(kept)), names)

    @classmethod
    def concatenated(cls, parts: Sequence["Texts"], subtasks: Sequence[np.ndarray]) -> Self:
        """The texts of all `parts`, one after the other, in memory, with the names of each part's subtasks."""
        return cls.of(chain.from_iterable(parts), np.concatenate(subtasks))

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Text]:
        return self._read(self._places)

    def at(self, indices: np.ndarray) -> "Texts":
        """Those at `indices`, or where a mask holds; nothing is read."""
        return Texts(self._read, self._places[indices], None if self.subtasks is None else self.subtasks[indices])
