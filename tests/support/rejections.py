"""Assertions about `InputError`: tests name the code, the file and the key, so that sentences may be reworded.

tests/sentences.txt is a snapshot of one sentence per code and test. `pytest --write-sentences` rewrites it for the
tests that run; other runs compare what they record with it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from instruction_selection.core.errors import InputError

SNAPSHOT = Path(__file__).resolve().parents[1] / "sentences.txt"
#: Characters of a sentence, without its path.
LONGEST = 400
#: By (code, test), what the tests of this run have recorded; conftest sets the running test.
recorded: dict[tuple[str, str], str] = {}
running: list[str] = []


@contextmanager
def rejected(code: str, *, path: str | Path | None = None, key: str | None = None) -> Iterator[pytest.ExceptionInfo]:
    """Expect an `InputError` with this code, of this file (its end is enough) and at this key, where they are given."""
    with pytest.raises(InputError) as caught:
        yield caught
    error = caught.value
    assert (error.code, error.key if key is not None else None) == (code, key), str(error)
    assert path is None or f"/{error.path}".endswith(f"/{str(path).removeprefix('/')}"), str(error)
    sentence = str(error)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert len(sentence.replace(str(error.path), "")) < LONGEST
    if running:
        recorded.setdefault((code, running[-1]), normalised(sentence))


def normalised(sentence: str) -> str:
    """Without what differs from run to run: folders, the numbers of ports and processes, hashes."""
    sentence = re.sub(r"(?<![\w:/])/(?:[^\s/'\"()]+/)+", ".../", sentence)
    # Numbered by the order in which tests run.
    sentence = re.sub(r"\.\.\./test_\w+", ".../FOLDER", sentence)
    sentence = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", sentence)
    return re.sub(r"\b[0-9a-f]{16,64}\b", "HASH", re.sub(r"\bprocess \d+", "process PID", sentence))


def read() -> dict[tuple[str, str], str]:
    """The snapshot, by code and test."""
    lines = SNAPSHOT.read_text(encoding="utf-8").splitlines() if SNAPSHOT.exists() else []
    return {(code, test): sentence for code, test, sentence in (line.split("\t") for line in lines)}


def write() -> None:
    """Put what was recorded into the snapshot, in the place of what the same tests recorded before."""
    again = {test for _, test in recorded}
    kept = {place: sentence for place, sentence in read().items() if place[1] not in again} | recorded
    lines = [f"{code}\t{test}\t{sentence}\n" for (code, test), sentence in sorted(kept.items())]
    SNAPSHOT.write_text("".join(lines), encoding="utf-8")


def check(test: str) -> None:
    """Fail if this test is in the snapshot with another sentence than it has just recorded."""
    snapshot = read()
    now = {place: sentence for place, sentence in recorded.items() if place[1] == test}
    before = {place: snapshot[place] for place in now if place in snapshot}
    differing = [f"{before[place]!r} is now {now[place]!r}" for place in before if before[place] != now[place]]
    assert not differing, "; ".join(differing) + "; if that is better, run pytest --write-sentences"
