"""YAML of config files: plain data in which every key is text and is there once.

PyYAML alone takes the last of several equal keys, reads ``1e-4`` as text, follows an alias into itself, and admits
numbers that no setting can be.
"""

import math
import re
from pathlib import Path
from typing import Any

import yaml

from instruction_selection.core.errors import InputError

#: Values of a file with its aliases written out; a few aliases of aliases can stand for billions.
MOST_VALUES = 100_000

TEXT, MERGE, NUMBER = (f"tag:yaml.org,2002:{name}" for name in ("str", "merge", "float"))


def read(path: str | Path) -> Any:
    """The content of a YAML file. Raises `InputError`, with the line where there is one, if it is no config file."""
    try:
        return _Loader(Path(path).read_bytes()).get_single_data()
    except _Refused as error:
        raise InputError(error.code, error.sentence, path=path, key=f"line {error.line}") from None
    except yaml.MarkedYAMLError as error:
        # Without its excerpt of the file, in which there may be a password.
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else None
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError("yaml-syntax", f"not valid YAML ({what})", path=path, key=line) from error
    except yaml.YAMLError as error:
        raise InputError("yaml-syntax", f"not valid YAML ({' '.join(str(error).split())})", path=path) from error
    except RecursionError as error:
        raise InputError("yaml-depth", "lists and mappings are nested too deeply", path=path) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # PyYAML trusts that a text fits its tag, as 2026-13-01 and `!!int x` do not.
        raise InputError("yaml-tag", f"not valid YAML (a value does not fit its tag: {error})", path=path) from error


class _Refused(Exception):
    def __init__(self, code: str, node: yaml.Node, sentence: str):
        super().__init__(sentence)
        self.code, self.line, self.sentence = code, _line(node), sentence


class _Loader(yaml.SafeLoader):
    def get_single_node(self) -> yaml.Node | None:
        root = super().get_single_node()
        if root is not None and _size(root, {}) > MOST_VALUES:
            raise _Refused("yaml-size", root, f"aliases expand to more than {MOST_VALUES:,} values")
        return root

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag not in (TEXT, MERGE):
                written = repr(key.value) if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                raise _Refused("yaml-key", key, f"a key must be text, and {written} is not; put it in quotation marks")
            if key.value in lines:
                raise _Refused("yaml-duplicate", key, f"key {key.value!r} is already in line {lines[key.value]}")
            lines[key.value] = _line(key)
        return node

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        number = super().construct_yaml_float(node)
        if not math.isfinite(number):
            raise _Refused("yaml-infinite", node, f"{node.value} is not a finite number")
        return number


_Loader.add_constructor(NUMBER, _Loader.construct_yaml_float)
# As in YAML 1.2; YAML 1.1 wants a point and a sign, and 1e-4 would be text.
_Loader.add_implicit_resolver(NUMBER, re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)[eE][-+]?\d+$"), list("-+.0123456789"))


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _size(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many values a node has with its aliases written out; `known` has those of other nodes, by identity."""
    if id(node) not in known:
        known[id(node)] = None
        pairs = isinstance(node, yaml.MappingNode)
        inner = [part for pair in node.value for part in pair] if pairs else node.value
        known[id(node)] = 1 + sum(_size(part, known) for part in inner if isinstance(part, yaml.Node))
    size = known[id(node)]
    if size is None:
        raise _Refused("yaml-cycle", node, "an alias refers to what it is in")
    return size
