"""JSON Schemas of the config files, from their types; editors complete and check keys by them."""

import ast
import inspect
import json
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from instruction_selection.experiment.base import Section
from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.model import Encoder, Model
from instruction_selection.experiment.pool import Pool
from instruction_selection.experiment.settings import Choice, Settings
from instruction_selection.experiment.table import Table
from instruction_selection.experiment.training import Training

#: Types by the name of their schema, in the order in which a reader meets them.
KINDS: dict[str, type[Section]] = {
    "config": Choice,
    "experiment": Settings,
    "table": Table,
    "model": Model,
    "encoder": Encoder,
    "pool": Pool,
    "benchmark": Benchmark,
    "method": Method,
    "training": Training,
}
FOLDER = Path(__file__).resolve().parents[2] / "schemas"
HEAD = "# Written by `make reference` from the types in workflow/instruction_selection/experiment.\n"


def path_of(kind: str) -> Path:
    return FOLDER / f"{kind}.schema.yaml"


def text(kind: str) -> str:
    """The file of a kind's schema: JSON Schema as YAML, which is easier to compare by line."""
    content = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema(KINDS[kind])}
    return HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def schema(section: type[Section]) -> dict[str, Any]:
    """Pydantic's schema with the docstrings of fields as descriptions, and without titles that repeat a key."""
    content = section.model_json_schema()
    by_name = {each.__name__: each for each in sections()}
    for name, inner in {section.__name__: content, **content.get("$defs", {})}.items():
        inner.pop("title", None)
        if name in by_name:
            inner["description"] = _docstring(by_name[name])
            for key, entry in inner.get("properties", {}).items():
                entry.pop("title", None)
                # A section's own docstring says what it is, and what a `kind` means.
                about = by_name.get(entry.get("$ref", "").rsplit("/", 1)[-1], by_name[name])
                entry["description"] = _descriptions(by_name[name]).get(key) or _docstring(about)
    return json.loads(json.dumps(content))


def sections(section: type[Section] = Section) -> list[type[Section]]:
    return [section, *(inner for each in section.__subclasses__() for inner in sections(each))]


def _docstring(section: type[Section]) -> str:
    return " ".join((inspect.getdoc(section) or "").split())


@cache
def _descriptions(section: type[Section]) -> dict[str, str]:
    """The docstring below each field, also of inherited ones, as one line."""
    found: dict[str, str] = {}
    for each in reversed(section.__mro__):
        if issubclass(each, Section):
            body = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0].body  # type: ignore[attr-defined]
            for field, below in zip(body, body[1:], strict=False):
                match field, below:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                        found[name] = " ".join(doc.split())
    return found
