"""Memory does not grow with the rows of a pool, but for one number each; tests/benchmarks/load.py measures time."""

import tracemalloc

from instruction_selection.core import files
from instruction_selection.data import overlap, sampling

LAYOUT = {
    **{"member": None, "columns": None, "key": None, "draw": "by_task", "overlap_text": None},
    "control_tokens": "drop",
    **{"task": "all", "instruction": "{{q}}", "response": "{{a}}"},
}
#: Characters of a row, which is more than may be held of it.
LENGTH = 2000


def written(path, count: int):
    files.write_jsonl(
        path, ({"id": f"{n}", "q": f"{n}", "a": "x" * LENGTH, "instruction": f"{n}"} for n in range(count))
    )
    return path


def peak(work) -> int:
    """Most bytes that Python held at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_sampling__holds_a_number_per_row_and_not_the_rows(tmp_path):
    def sample(count: int):
        source = written(tmp_path / f"{count}.jsonl", count)
        return peak(lambda: files.write_jsonl(tmp_path / "pool", sampling.draw(LAYOUT, [source], count, seed=0)))

    sample(10)
    # An id of 16 characters in a table of those seen, and two integers.
    assert (sample(4000) - sample(2000)) / 2000 < 400


def test_search__for_overlap_holds_one_row_at_a_time(tmp_path):
    path = written(tmp_path / "pool.jsonl", 2000)
    evaluation = [{"id": "e", "instruction": "7"}]
    assert peak(lambda: overlap.find(evaluation, {"pool": files.iterate_jsonl(path)})) < 500_000
    assert overlap.find(evaluation, {"pool": files.iterate_jsonl(path)}) == {"pool": [("7", "e")]}
