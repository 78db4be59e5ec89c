"""config/README.md, out of the schemas: `python -m instruction_selection.reference > config/README.md`."""

import json
from collections.abc import Iterator

from instruction_selection.config import SCHEMAS, schema_of

#: Which files a schema is for; in the order in which a reader meets them.
FILES = {
    "config": "config.yaml",
    "experiment": "experiments/*.yaml",
    "table": "tables/*.yaml",
    "model": "models/*.yaml",
    "encoder": "encoders/*.yaml",
    "pool": "pools/*.yaml",
    "benchmark": "benchmarks/*.yaml",
    "method": "methods/*.yaml",
    "training": "training/*.yaml",
}

HEAD = """\
# Configuration

Every key of every file, generated from `workflow/schemas` (`make reference`). One file is one entry: to add a model, a
pool, a benchmark or a method, add a file and name it in an experiment. Keys in **bold** must be given. Editors with the
YAML language server complete keys in a file that begins with
`# yaml-language-server: $schema=../../workflow/schemas/experiment.schema.yaml`.
"""


def text() -> str:
    """All of config/README.md, as Markdown."""
    return "\n".join([HEAD, *(_section(kind, path) for kind, path in FILES.items() if _path(kind).is_file())])


def _path(kind: str):
    return SCHEMAS / f"{kind}.schema.yaml"


def _section(kind: str, path: str) -> str:
    schema = schema_of(kind)
    rows = [
        f"| {'**' if required else ''}`{name}`{'**' if required else ''} | {_type(entry)} | {_default(entry)} | "
        f"{_cell(entry.get('description', ''))} |"
        for name, entry, required in _keys(schema, schema.get("$defs", {}))
        if not name.endswith("<name>")
    ]
    table = "| key | type | default | what |\n|---|---|---|---|\n" + "\n".join(rows) + "\n" if rows else ""
    return f"## `{path}`\n\n{schema['description']}\n\n{table}"


def _keys(schema: dict, definitions: dict, prefix: str = "") -> Iterator[tuple[str, dict, bool]]:
    """(dotted key, its schema, whether it must be given), depth first; `<name>` stands for a key of one's choice."""
    properties = schema.get("properties", {})
    more = schema.get("additionalProperties")
    if isinstance(more, dict) and more:
        properties = {**properties, "<name>": more}
    for name, entry in properties.items():
        entry = _resolved(entry, definitions)
        key = f"{prefix}{name}"
        yield key, entry, name in schema.get("required", [])
        yield from _keys(entry, definitions, f"{key}.")
        for alternative in entry.get("oneOf", []):
            yield from _keys(_resolved(alternative, definitions), definitions, f"{key}.")
        items = _resolved(entry.get("items", {}), definitions)
        yield from _keys(items, definitions, f"{key}[].")


def _resolved(entry: dict, definitions: dict) -> dict:
    name = entry.get("$ref", "").rsplit("/", 1)[-1]
    return {**definitions[name], **entry} if name else entry


def _type(entry: dict) -> str:
    if "const" in entry:
        return f"`{entry['const']}`"
    if "enum" in entry:
        return " or ".join(f"`{value}`" for value in entry["enum"])
    kind = entry.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else kind


def _default(entry: dict) -> str:
    return f"`{json.dumps(entry['default'])}`" if "default" in entry else ""


def _cell(description: str) -> str:
    return " ".join(description.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(text(), end="")
