"""Types of config files: what decides a result, and what is only said of an entry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from instruction_selection.experiment import schemas
from instruction_selection.experiment.base import Matching, Section
from instruction_selection.experiment.load import load, read_entry
from instruction_selection.experiment.pool import Pool
from instruction_selection.experiment.sources import ModelRepository

from .conftest import CONFIG

SECTIONS = [each for each in schemas.sections() if each.__module__.startswith("instruction_selection")]


def test_inputs__are_the_keys_asked_for():
    pool = read_entry(CONFIG, Pool, "reasoning")
    assert pool.inputs("reader", "tasks").keys() == {"reader", "tasks"}
    assert pool.inputs("tasks")["tasks"] == list(pool.tasks)


@pytest.mark.parametrize("key", ["label", "summary", "license", "tokens"])
def test_inputs__reject_what_decides_no_result(key):
    with pytest.raises(ValueError, match=key):
        read_entry(CONFIG, Pool, "reasoning").inputs("tasks", key)


def test_inputs__have_no_such_keys_of_sections_inside():
    pool = read_entry(CONFIG, Pool, "infinity-instruct")
    assert "gated" in pool.plain()["rows"]["source"]
    assert "gated" not in pool.inputs("rows")["rows"]["source"]
    benchmark = load(CONFIG, "demo").benchmarks["logic"]
    assert "label" not in benchmark.inputs("metrics")["metrics"][0]
    # Arguments of another program are passed on as they were given.
    assert benchmark.inputs("harness")["harness"] == benchmark.plain()["harness"]


def test_inputs__do_not_change_with_what_is_said_of_an_entry():
    pool = read_entry(CONFIG, Pool, "infinity-instruct")
    other = pool.model_copy(update={"label": "Another", "tokens": 7, "license": "MIT"})
    keys = sorted(Pool.deciding_keys())
    assert other.plain() != pool.plain()
    assert other.inputs(*keys) == pool.inputs(*keys)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda each: each.__name__)
def test_section__cannot_be_changed(section: type[Section]):
    assert section.model_config["frozen"]
    assert section.model_config["strict"]


def test_entry__is_immutable():
    with pytest.raises(ValidationError):
        read_entry(CONFIG, Pool, "reasoning").label = "Other"  # type: ignore[misc]


@given(st.from_regex(Matching("[a-z][a-z0-9]*", "").pattern, fullmatch=True), st.sampled_from(["\n", " ", "/", "Ä"]))
def test_matching__judges_the_whole_text(word, end):
    checked = Matching("[a-z][a-z0-9]*", "a word")
    assert checked._check(word) == word
    with pytest.raises(PydanticCustomError) as caught:
        checked._check(word + end)
    assert caught.value.type == "not-allowed"


def test_model_repository__is_one_with_fewer_files():
    given = {"kind": "hub", "repository": "a/b", "revision": "main", "files": ["model.safetensors"]}
    assert ModelRepository.model_validate(given).files == ("model.safetensors",)
