"""The Jinja templates of config files, which make examples of records.

A config file may come from somebody else, so templates are sandboxed: they see text, numbers, lists and mappings
(`template_values`), have the filters, tests and functions that are listed here, all of which give the same result in
every run, and must end within limits (`template_limits`).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import jinja2
import jinja2.sandbox
from jinja2.runtime import Context

from instruction_selection.data import template_limits, template_values

#: The templates of an example, of which only the first is always there.
ROW = ("task", "instruction", "response", "overlap_text", "system")
#: What `compiled` raises. Numbers of thousands of digits and deep nesting are no syntax errors for Jinja.
NOT_COMPILED = (jinja2.TemplateSyntaxError, SyntaxError, ValueError, RecursionError, MemoryError)
#: What `render` raises for a record that does not fit the template.
NOT_RENDERED = (
    *(jinja2.TemplateError, TypeError, LookupError, ValueError, AttributeError, ArithmeticError),
    *(re.error, RecursionError, template_limits.LimitError),
)
FILTERS = (
    *("abs", "batch", "capitalize", "count", "d", "default", "dictsort", "first", "float", "format", "groupby"),
    *("indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject"),
    *("rejectattr", "replace", "reverse", "select", "selectattr", "slice", "sort", "string", "sum", "title"),
    *("tojson", "trim", "truncate", "unique", "upper", "wordcount"),
)
TESTS = (
    *("!=", "<", "<=", "==", ">", ">=", "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false"),
    *("float", "ge", "greaterthan", "gt", "in", "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping"),
    *("ne", "none", "number", "odd", "sequence", "string", "true", "undefined", "upper"),
)
GLOBALS = ("dict", "namespace", "range")
#: Methods of text and numbers that give bytes.
NOT_AVAILABLE = frozenset(("encode", "to_bytes"))
#: Part of what Python writes for an object, which is another one in every run.
ADDRESS = re.compile(r" at 0x[0-9a-f]+>")
#: Bits of the largest product of integers.
PRODUCT_BITS = 1024


class _Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Also without powers and products of enormous integers, which cannot be interrupted."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise jinja2.exceptions.SecurityError("the operator ** is not available")
        if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > PRODUCT_BITS:
            raise jinja2.exceptions.SecurityError("a product of integers is too large")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in NOT_AVAILABLE and super().is_safe_attribute(obj, attr, value)


def compiled(template: str) -> jinja2.Template:
    """Raises `NOT_COMPILED` if this is not a template. Nothing of it is evaluated."""
    return _ENVIRONMENT.from_string(template)


def render(template: jinja2.Template, values: Mapping[str, object]) -> str:
    """The text of a template, without white space around it. Call it within `template_limits.Limits`.

    `values` are what it sees, from `template_values`. Raises `NOT_RENDERED`, and `NoValueError` among these if the
    template writes a null or NaN.
    """
    text = template.render(values)
    if len(text) > template_limits.CHARACTERS:
        raise template_limits.LimitError(f"it writes more than {template_limits.CHARACTERS:,} characters")
    if any(address not in json.dumps(values, default=lambda _: "") for address in ADDRESS.findall(text)):
        raise TypeError("it writes a function or a generator instead of what that gives")
    text.encode()  # raises on a lone surrogate (legal in JSON, not in UTF-8)
    return text.strip()


def _regex_replace(text: object, pattern: str, replacement: str) -> str:
    return re.sub(pattern, replacement, str(text))


def _shuffled(values: list[str]) -> list[str]:
    """The values in an order that depends on nothing else."""
    return sorted(values, key=lambda value: hashlib.sha256("\0".join((*sorted(values), value)).encode()).digest())


@jinja2.pass_eval_context
def _written(_, value: object) -> object:
    # With a context, Jinja does not call this for constants when it compiles a template.
    return template_values.written(value)


def _none(value: object) -> bool:
    return value is None or isinstance(value, template_values.NoValue)


_ENVIRONMENT = _Environment(
    undefined=jinja2.StrictUndefined, keep_trailing_newline=True, optimized=False, finalize=_written
)
_ENVIRONMENT.filters = {name: _ENVIRONMENT.filters[name] for name in FILTERS}
_ENVIRONMENT.filters |= {"shuffled": _shuffled, "regex_replace": _regex_replace}
_ENVIRONMENT.tests = {name: _ENVIRONMENT.tests[name] for name in TESTS} | {"none": _none}
_ENVIRONMENT.globals = {name: _ENVIRONMENT.globals[name] for name in GLOBALS}
