"""YAML of config files: plain data in which every key is text and is there once.

PyYAML alone takes the last of several equal keys, reads ``1e-4`` as text, follows an alias into itself, and admits
numbers that no setting can be.
"""

import math
import re
from pathlib import Path

import yaml

from instruction_selection.errors import InputError

#: Values of a file with its aliases written out; a few aliases of aliases can stand for billions.
MOST_VALUES = 100_000
#: What 64 bits hold, as in the libraries that get the settings.
LARGEST = 2**63 - 1

TEXT, MERGE, NUMBER = (f"tag:yaml.org,2002:{name}" for name in ("str", "merge", "float"))


def read(path: str | Path) -> object:
    """The content of a YAML file. Raises `InputError`, where it can with the line, if it is no config file."""
    try:
        return _Loader(Path(path).read_bytes()).get_single_data()
    except _Refused as error:
        raise InputError(f"{path}, {error}.") from None
    except yaml.MarkedYAMLError as error:
        # Without its excerpt of the file, in which there may be a password.
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"{path}{line}: not valid YAML ({what}).") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML ({' '.join(str(error).split())}).") from error
    except RecursionError as error:
        raise InputError(f"{path}: too many lists or mappings are inside of each other.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # PyYAML trusts that a text fits its tag, as 2026-13-01 and `!!int x` do not.
        raise InputError(f"{path}: not valid YAML (a value does not fit its tag: {error}).") from error


class _Refused(Exception):
    def __init__(self, line: int, problem: str):
        super().__init__(f"line {line}: {problem}")


class _Loader(yaml.SafeLoader):
    def get_single_node(self):
        root = super().get_single_node()
        if root is not None and _values(root, {}) > MOST_VALUES:
            raise _Refused(1, f"aliases make more than {MOST_VALUES:,} values of it")
        return root

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        lines = {}
        for key, _ in node.value:
            if key.tag not in (TEXT, MERGE):
                written = repr(key.value) if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                raise _Refused(_line(key), f"a key is text, which {written} is not without quotation marks")
            if key.value in lines:
                raise _Refused(_line(key), f"key {key.value!r} is there twice, first in line {lines[key.value]}")
            lines[key.value] = _line(key)
        return node

    def construct_yaml_float(self, node):
        number = super().construct_yaml_float(node)
        if not math.isfinite(number):
            raise _Refused(_line(node), f"{node.value} is not a finite number")
        return number

    def construct_yaml_int(self, node):
        number = super().construct_yaml_int(node)
        if abs(number) > LARGEST:
            raise _Refused(_line(node), f"{node.value[:20]} is larger than {LARGEST} in size")
        return number


_Loader.add_constructor(NUMBER, _Loader.construct_yaml_float)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
# As in YAML 1.2; YAML 1.1 wants a point and a sign, and 1e-4 would be text.
_Loader.add_implicit_resolver(NUMBER, re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)[eE][-+]?\d+$"), list("-+.0123456789"))


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _values(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many values a node has with its aliases written out; `known` has those of other nodes, by identity."""
    if id(node) not in known:
        known[id(node)] = None
        if isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        else:
            inner = node.value if isinstance(node, yaml.SequenceNode) else []
        known[id(node)] = 1 + sum(_values(part, known) for part in inner)
    if known[id(node)] is None:
        raise _Refused(_line(node), "refers to itself")
    return known[id(node)]
