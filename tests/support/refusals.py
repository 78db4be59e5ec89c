"""Refusals, which tests know by code, file and key; how they are worded is free to change."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from instruction_selection.core.errors import InputError

#: Characters of a sentence, without its path.
LONGEST = 300


@contextmanager
def refused(code: str, *, path: str | Path | None = None, key: str | None = None) -> Iterator[pytest.ExceptionInfo]:
    """Expect an `InputError` with this code, of this file and at this key, where they are given."""
    with pytest.raises(InputError) as caught:
        yield caught
    error = caught.value
    assert (error.code, error.key if key is not None else None) == (code, key), str(error)
    assert path is None or error.path == str(path), str(error)
    sentence = str(error)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert len(sentence.replace(str(error.path), "")) < LONGEST
