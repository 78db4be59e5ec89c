"""The Jinja templates of config files, which make examples of records, and their filters.

Templates are sandboxed: they have no reason to call Python, and a config file may come from somebody else.
"""

import hashlib
import re

import jinja2
import jinja2.sandbox

#: The templates of an example; the last one is optional.
ROW = ("task", "instruction", "response", "overlap_text")
#: What `compiled` raises.
NOT_COMPILED = jinja2.TemplateSyntaxError
#: What rendering raises for a record that does not fit the template.
NOT_RENDERED = (
    *(jinja2.TemplateError, TypeError, LookupError, ValueError, AttributeError, ArithmeticError),
    *(re.error, RecursionError),
)


def compiled(template: str) -> jinja2.Template:
    """Raises `NOT_COMPILED` if this is not a template."""
    return _ENVIRONMENT.from_string(template)


def _regex_replace(text: str, pattern: str, replacement: str) -> str:
    return re.sub(pattern, replacement, text)


def _shuffled(values: list[str]) -> list[str]:
    """The values in an order that depends on nothing else."""
    return sorted(values, key=lambda value: hashlib.sha256("\0".join((*sorted(values), value)).encode()).digest())


_ENVIRONMENT = jinja2.sandbox.ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, keep_trailing_newline=True
)
_ENVIRONMENT.filters |= {"shuffled": _shuffled, "regex_replace": _regex_replace}
