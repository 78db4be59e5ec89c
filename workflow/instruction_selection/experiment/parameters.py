"""The parameters of a method, as its code declares them: the keyword-only arguments of its `score` or `select`.

They are read from the source, because importing a method imports numpy and numba, which cost seconds and which the
machine that plans a run may lack.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from pydantic import Field, create_model

from instruction_selection.core import parameters
from instruction_selection.core.errors import InputError
from instruction_selection.experiment.base import Section

#: By the name in a signature.
TYPES: dict[str, Any] = {
    **{kind.__name__: kind for kind in (bool, int, float, str)},
    **{name: getattr(parameters, name) for name in ("Count", "NotNegative", "Share", "PositiveShare", "ProperShare")},
}


def declared(code: Path) -> type[Section]:
    """The parameters of the method in the file `code`; none if there is no such file.

    Raises `InputError` for an argument whose type or default cannot be read, and for a file that is not Python.
    """
    return _declared(code, code.read_text(encoding="utf-8") if code.is_file() else "")


@cache
def _declared(code: Path, source: str) -> type[Section]:
    fields: dict[str, Any] = {}
    try:
        arguments = _arguments(source)
    except SyntaxError as error:
        raise InputError("not-python", f"line {error.lineno}: {error.msg}", path=code) from None
    for argument, default in arguments:
        try:
            kind = _type(argument.annotation)
            fields[argument.arg] = (kind, ... if default is None else ast.literal_eval(default))
        except (KeyError, ValueError):
            sentence = "needs a type and a default that can be read without importing: see core/parameters.py"
            raise InputError("unreadable-parameter", sentence, path=code, key=argument.arg) from None
    return create_model("Parameters", __base__=Section, **fields)


def _arguments(source: str) -> list[tuple[ast.arg, ast.expr | None]]:
    """The keyword-only arguments of `score` or `select`, each with its default."""
    return [
        pair
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name in ("score", "select")
        for pair in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    ]


def _type(node: ast.expr | None) -> Any:
    """The type that an annotation means. Raises `KeyError` or `ValueError` for one that is not known."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Name(id=name):
            return TYPES[name]
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return Union[_type(left), _type(right)]  # noqa: UP007 (of values)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            return Literal[ast.literal_eval(choices)]
        case ast.Subscript(
            value=ast.Name(id="Annotated"),
            slice=ast.Tuple(elts=[kind, ast.Call(func=ast.Name(id="Field"), args=[], keywords=limits)]),
        ):
            return Annotated[_type(kind), Field(**{str(each.arg): ast.literal_eval(each.value) for each in limits})]
    raise ValueError(node)
