"""A file of examples that was changed after it was sampled is rejected, whatever the change."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.rejections import rejected

from instruction_selection.core import files, recorded
from instruction_selection.core.errors import InputError

ROWS = [{"id": f"{number}"} for number in range(9)]


@pytest.fixture
def sampled(tmp_path):
    """A pool's, a validation and a selected file, each with its summary."""
    found = []
    for name, summary in (("pool", "pool.json"), ("validation", "target.json"), ("selected", "selection.json")):
        path = tmp_path / f"{name}.jsonl"
        files.write_jsonl(path, ROWS)
        about = {"rows": len(ROWS), "sha256": files.sha256(path)}
        written = {
            "pool": {"pool": "a pool's name", **about},
            "validation": {"validation": about, "evaluation": {}},
            "selected": {"selected": about["rows"], "sha256": about["sha256"]},
        }[name]
        files.write_json(tmp_path / summary, written)
        found.append((path, tmp_path / summary))
    return found


def test_check__what_was_written_is_accepted(sampled):
    for path, summary in sampled:
        recorded.check(path, summary)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_check__any_cut_or_change_is_rejected(sampled, data):
    for path, summary in sampled:
        content = path.read_bytes()
        place = data.draw(st.integers(0, len(content) - 1))
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(data.draw(st.sampled_from([content[:place], bytes(changed), content + content[place:]])))
        # Not `rejected`, which would record a sentence of a random cut.
        with pytest.raises(InputError) as caught:
            recorded.check(path, summary)
        assert (caught.value.code, caught.value.path) == ("rows-changed", str(path))
        path.write_bytes(content)


def test_check__a_pool_that_is_cut_at_a_line_is_rejected_with_both_counts(sampled):
    for path, summary in sampled:
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
        with rejected("rows-changed", path=path.name) as caught:
            recorded.check(path, summary)
        assert "has 7 rows" in str(caught.value)
        assert "9 rows" in str(caught.value)
