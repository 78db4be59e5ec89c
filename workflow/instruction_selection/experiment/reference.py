"""config/README.md, workflow/schemas and the features in docs/add-a-method.md, from the types and the list of features:
`python -m instruction_selection.experiment.reference`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instruction_selection.core.features import FEATURES, Feature
from instruction_selection.experiment import schemas
from instruction_selection.experiment.base import Entry

HEAD = """\
# Configuration

Every key of every file, written by `make reference` from the types in `workflow/instruction_selection/experiment`. One
file is one entry: to add a model, a pool, a benchmark or a method, add a file and name it in an experiment. Keys in
**bold** must be given. Editors with the YAML language server complete keys in a file that begins with
`# yaml-language-server: $schema=../../workflow/schemas/experiment.schema.yaml`.
"""
REPOSITORY = Path(__file__).resolve().parents[3]
README = REPOSITORY / "config" / "README.md"
METHODS = REPOSITORY / "docs" / "add-a-method.md"
#: Around the table of features in `METHODS`.
FEATURES_BEGIN, FEATURES_END = "<!-- features: written by `make reference` -->", "<!-- end of features -->"
FORMS = {"rows": "matrix", "numbers": "numbers", "texts": "texts"}
TYPES = {"integer": "whole number", "string": "text", "boolean": "true or false", "object": "mapping"}
PLURALS = {"whole number": "whole numbers", "number": "numbers", "mapping": "mappings"}


def text() -> str:
    """All of config/README.md, as Markdown."""
    return "\n".join([HEAD, *map(_chapter, schemas.KINDS)])


def with_features(page: str) -> str:
    """A page with its table of features brought up to date."""
    rows = [
        f"| `{name}` | {FORMS[feature.form]} | {_made_by(feature)} | {feature.summary} |"
        for name, feature in FEATURES.items()
    ]
    table = "\n".join(["| feature | form | made by | what it is |", "|---|---|---|---|", *rows])
    return re.sub(
        f"{FEATURES_BEGIN}.*{FEATURES_END}",
        lambda _: f"{FEATURES_BEGIN}\n\n{table}\n\n{FEATURES_END}",
        page,
        flags=re.DOTALL,
    )


def _made_by(feature: Feature) -> str:
    if feature.per_checkpoint:
        return "the model after its warm-up"
    return {"model": "the base model", "encoder": "the encoder", None: ""}[feature.made_by]


def _chapter(kind: str) -> str:
    schema = schemas.schema(schemas.KINDS[kind])
    rows = [_row(*key, schema) for key in _keys(schema, schema)]
    section = schemas.KINDS[kind]
    files = f"{section.FOLDER}/*.yaml" if issubclass(section, Entry) else f"{kind}.yaml"
    table = "| key | type | default | what |\n|---|---|---|---|\n" + "\n".join(rows)
    return f"## `{files}`\n\n{schema['description']}\n\n{table}\n"


def _row(name: str, entry: dict[str, Any], required: bool, whole: dict[str, Any]) -> str:
    key = f"**`{name}`**" if required else f"`{name}`"
    description = entry["description"].replace("|", "\\|")
    return f"| {key} | {_type(entry, whole)} | {_default(entry)} | {description} |"


def _keys(schema: dict[str, Any], whole: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict, bool]]:
    """(dotted key, its schema, whether it must be given), depth first; `<name>` stands for any key, `[]` for a list."""
    for name, entry in schema.get("properties", {}).items():
        yield prefix + name, entry, name in schema.get("required", [])
        # LLaMA-Factory's arguments have a chapter of their own.
        if name != "training" or "$ref" not in entry:
            yield from _inner(entry, whole, prefix + name)


def _inner(entry: dict[str, Any], whole: dict[str, Any], key: str) -> Iterator[tuple[str, dict, bool]]:
    for alternative in _alternatives(entry, whole):
        more = alternative.get("additionalProperties")
        if "properties" in alternative:
            yield from _keys(alternative, whole, f"{key}.")
        elif isinstance(more, dict):
            yield from _inner(more, whole, f"{key}.<name>")
        yield from _inner(alternative["items"], whole, f"{key}[]") if "items" in alternative else ()


def _alternatives(entry: dict[str, Any], whole: dict[str, Any]) -> list[dict[str, Any]]:
    """What an entry may be, with references replaced by what they refer to."""
    if "$ref" in entry:
        return [whole["$defs"][entry["$ref"].rsplit("/", 1)[-1]]]
    options = entry.get("anyOf") or entry.get("oneOf")
    return [inner for each in options for inner in _alternatives(each, whole)] if options else [entry]


def _type(entry: dict[str, Any], whole: dict[str, Any]) -> str:
    names = []
    for each in _alternatives(entry, whole):
        if "const" in each:
            names.append(f"`{each['const']}`")
        elif "enum" in each:
            names += [f"`{value}`" for value in each["enum"]]
        elif each.get("type") == "array":
            items = _type(each["items"], whole)
            names.append(f"list of {PLURALS.get(items, items)}")
        else:
            names.append(TYPES.get(each.get("type", ""), each.get("type", "anything")))
    return " or ".join(dict.fromkeys(names))


def _default(entry: dict[str, Any]) -> str:
    """Nothing for a mapping whose keys have defaults of their own."""
    if "default" not in entry or (entry["default"] and "$ref" in entry):
        return ""
    return f"`{json.dumps(entry['default'])}`"


if __name__ == "__main__":
    README.write_text(text(), encoding="utf-8")
    METHODS.write_text(with_features(METHODS.read_text(encoding="utf-8")), encoding="utf-8")
    for kind in schemas.KINDS:
        schemas.path_of(kind).write_text(schemas.text(kind), encoding="utf-8")
