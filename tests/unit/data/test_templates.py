"""Templates see plain values, give the same result in every run, and end."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.data import sampling, template_limits, template_values, templates

LAYOUT = {
    **{"member": None, "columns": None, "key": None, "draw": "by_task", "overlap_text": None},
    **{"task": "all", "instruction": "{{q}}", "response": "{{a}}", "control_tokens": "drop"},
}


def rendered(template: str, **record) -> str:
    return templates.render(templates.compiled(template), template_values.plain(record))


class Evil:
    """What a path is on Python 3.13: an object with a module behind it."""

    import os as parser

    def __str__(self):
        return "evil"


@pytest.mark.parametrize("value", [Evil(), [Evil()], {"x": Evil()}, Evil, print, Path("a"), b"a", {1}, (1,), 1j])
def test_plain__no_object_reaches_a_template(value):
    shown = template_values.plain({"q": value})
    assert not [found for found in walked(shown) if type(found).__module__ not in allowed]
    with pytest.raises((UndefinedError, TypeError)):
        rendered("{{ q }}{{ q[0] }}{{ q.x }}", q=value)
    with pytest.raises(UndefinedError):
        rendered("{{ q.parser.os.system('true') }}", q=value)


#: Modules of the types that templates see.
allowed = ("builtins", template_values.__name__)


def walked(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walked(inner)


@pytest.mark.parametrize(
    "template", ["{{ path.parser }}", "{{ path.parent.parser.os }}", "{{ path.__class__ }}", "{{ path }}"]
)
def test_draw__the_path_of_a_file_is_its_names(tmp_path, template):
    files.write_jsonl(tmp_path / "a.b.jsonl", [{"q": "x", "a": "y"}])
    names = "{{ [path.name, path.stem, path.suffix, path.parent.name] | join(' ') }}"
    [row] = sampling.draw({**LAYOUT, "instruction": names}, [tmp_path / "a.b.jsonl"], 1, 0)
    assert row["instruction"] == f"a.b.jsonl a.b .jsonl {tmp_path.name}"
    with rejected("template-does-not-fit", path="a.b.jsonl", key="record 0"):
        list(sampling.draw({**LAYOUT, "instruction": template}, [tmp_path / "a.b.jsonl"], 1, 0))


@pytest.mark.parametrize(
    "template",
    [
        *("{{ q | random }}", "{{ [1, 2] | pprint }}", "{{ lipsum() }}", "{{ now() }}", "{{ q | urlize }}"),
        *("{{ cycler(1) }}", "{{ joiner() }}", "{% if q is callable %}{% endif %}", "{{ q.upper }}", "{{ range }}"),
        *("{{ q.upper ~ '' }}", "{{ [q.upper] | join }}", "{{ q | map('upper') | string }}", "{{ range ~ '' }}"),
    ],
)
def test_render__nothing_gives_another_result_in_another_run(template):
    with pytest.raises((*templates.NOT_RENDERED, *templates.NOT_COMPILED)):
        rendered(template, q="x")


ENDLESS = [
    "{{ 9**(9**9) }}",
    "{{ 'a' * 10000000000 }}",
    "{{ [1] * 10000000000 }}",
    "{{ 'a'.ljust(10000000000) }}",
    "{{ '%10000000000d' | format(1) }}",
    "{{ '{:10000000000}'.format(1) }}",
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "{% for i in range(1000000000) %}x{% endfor %}",
    "{{ range(1000000000) | list }}",
    # Large from the beginning, so that a busy machine does not take a second to fill memory bit by bit.
    "{% set n = namespace(x='a' * 200000000) %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=99999) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "{% macro f(x) %}{{ f(x ~ x) }}{% endmacro %}{{ f('a' * 200000000) }}",
    "{{ ('a' * 40) | regex_replace('(a|aa)+$b', '') }}",
    "{{ 'a' * 20000000 }}",
]


@pytest.mark.parametrize("template", ENDLESS)
def test_draw__a_template_without_an_end_is_rejected_soon(tmp_path, template):
    files.write_jsonl(tmp_path / "a.jsonl", [{"q": "x", "a": "y"}])
    start = time.process_time()
    with rejected("template-does-not-fit", path="a.jsonl", key="record 0") as caught:
        list(sampling.draw({**LAYOUT, "response": template}, [tmp_path / "a.jsonl"], 1, 0))
    assert time.process_time() - start < 2 * template_limits.SECONDS
    assert "'response'" in str(caught.value)


def test_compiled__nothing_is_evaluated():
    for template in ENDLESS:
        templates.compiled(template)


def test_render__what_looks_like_an_address_in_a_record_is_text():
    text = "<generator object f at 0x7f055204b710>"
    assert rendered("{{ q.x }}", q={"x": text}, other=None) == text


def test_limits__are_lifted_after_each_row(monkeypatch):
    monkeypatch.setattr(template_limits, "SECONDS", 0.1)
    limits = template_limits.Limits()
    with pytest.raises(template_limits.LimitError), limits:
        bytes(10 * template_limits.MEMORY)
    with pytest.raises(template_limits.LimitError), limits:
        list(iter(int, 1))
    with limits:
        pass
    assert len(bytes(2 * template_limits.MEMORY)) == 2 * template_limits.MEMORY
    until = time.process_time() + 1.2 * template_limits.SECONDS
    while time.process_time() < until:
        pass


@pytest.mark.parametrize("template", ["{{ " + "9" * 5000 + " }}", "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}"])
def test_compiled__what_python_cannot_compile_is_rejected(template):
    with pytest.raises(templates.NOT_COMPILED):
        templates.compiled(template)


@given(
    st.text(st.characters(exclude_categories=["Cs"])), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
def test_render__text_and_numbers_are_written_as_they_are(text, integer, number):
    assert rendered("{{ t }}", t=text) == text.strip()
    assert rendered("{{ n }}", n=number) == str(number)
    assert rendered("{{ n }}", n=integer % 10**9) == str(integer % 10**9)


MISSING = [None, float("nan"), float("inf")]


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize(
    "template",
    [
        *("{{ q }}", "a{{ q }}", "{{ 'a' ~ q }}", "{{ q | upper }}", "{{ [q] | join }}", "{{ q.strip() }}"),
        *("{{ q | replace('n', 'm') }}", "{{ q | regex_replace('n', 'm') }}", "{{ 'AB'[q] }}", "{{ record.q }}"),
        *("{{ [q] | string }}", "{{ q | string }}", "{% for x in q %}{% endfor %}", "{{ rows | map('upper') | join }}"),
    ],
)
def test_render__a_null_is_never_written(template, missing):
    with pytest.raises(template_values.NoValueError):
        rendered(template, q=missing, record={"q": missing}, rows=["a", missing])


@pytest.mark.parametrize("missing", MISSING)
def test_render__a_null_can_be_tested_for(missing):
    tests = "{{ 1 if q else 0 }}{{ 1 if q is none else 0 }}{{ 1 if q == none else 0 }}{{ q | default('d') }}"
    assert rendered(tests, q=missing) == "011d"
    assert (
        rendered(
            "{{ rows | selectattr('r', 'equalto', 'a') | map(attribute='r') | first }}",
            rows=[
                {"r": missing},
                {"r": "a"},
            ],
        )
        == "a"
    )


@pytest.mark.parametrize("value", [True, [1], {"a": 1}, ["x", None]])
def test_render__what_is_neither_text_nor_a_number_is_not_written(value):
    with pytest.raises(TypeError, match="it writes a value of type"):
        rendered("{{ q }}", q=value)


def test_plain__an_anchor_stays_one_object_and_a_value_may_contain_itself():
    twice = ["x"]
    for _ in range(50):
        twice = [twice, twice]
    shown = template_values.plain({"q": twice})["q"]
    assert shown[0] is shown[1]
    own = []
    own.append(own)
    shown = template_values.plain({"q": own})["q"]
    assert shown[0] is shown
