"""Hashes of the code behind a result, so that a job is planned again when its code has changed, and only then.

A job's code is its script and every library module that it imports, directly or not. A module counts by its abstract
syntax tree without comments, docstrings and layout, in a form that does not depend on Python's version.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SCRIPTS = PACKAGE.parent / "scripts"
#: Modules that decide how a job runs and reports, and never what it computes.
OPERATION = {
    *(
        "core.batch_tokens",
        "core.code",
        "core.devices",
        "core.errors",
        "core.features",
        "core.logs",
        "core.memory",
        "core.missing",
        "core.packages",
        "core.processes",
        "core.provenance",
        "core.shards",
        "core.worked",
    ),
    "cost",
}
#: Hexadecimal digits of a hash.
DIGITS = 12


def of_job(*roots: str | Path) -> dict[str, str]:
    """Short hashes by module of all code that a job runs.

    `roots` are scripts (paths) and dotted modules of this package, as in ``methods.g2is``: what the job starts with,
    and what it imports by a name that only the config has.
    """
    found: dict[str, str] = {}
    todo = [_path_of(root) if isinstance(root, str) else root.resolve() for root in roots]
    while todo:
        path = todo.pop()
        name = _name(path)
        if name not in found and not _is_operation(name):
            found[name], behind = _read(path)
            todo += behind
    return dict(sorted(found.items()))


def of_files(*paths: Path) -> dict[str, str]:
    """Short hashes of files of any language, by their names and as they are."""
    return {path.name: _hash(path.read_bytes()) for path in paths}


def digest(hashes: Mapping[str, str] | None) -> str | None:
    """One short hash that identifies the code of a job, for its results; None where the code is not known."""
    if hashes is None:
        return None
    text = "\n".join(f"{name} {value}" for name, value in sorted(hashes.items()))
    return _hash(text.encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _name(path: Path) -> str:
    """``features.gradients.store`` for a module of this package, else the name of the file."""
    if not path.is_relative_to(PACKAGE):
        return path.name
    relative = path.relative_to(PACKAGE)
    return ".".join((relative.with_suffix("") if path.suffix == ".py" else relative).parts).removesuffix(".__init__")


def _is_operation(name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in OPERATION for length in range(1, len(parts) + 1))


@cache
def _read(path: Path) -> tuple[str, list[Path]]:
    """A file's hash, and the library's files that it uses. Scripts of a grid are asked for thousands of times."""
    if path.suffix != ".py":
        return _hash(path.read_bytes()), []
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return _hash(_canonical(tree).encode()), list(_used(tree, path))


def _canonical(node: object) -> str:
    """A syntax tree as text. Empty fields are left out, because versions of Python differ in them."""
    if isinstance(node, list):
        return f"[{','.join(_canonical(item) for item in node if not _is_text_alone(item))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
    return f"{type(node).__name__}({','.join(f'{name}={_canonical(value)}' for name, value in fields)})"


def _is_text_alone(node: object) -> bool:
    """Whether a statement is a docstring, or the description of the field above it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _used(tree: ast.AST, path: Path) -> Iterator[Path]:
    """Files of this package that a module imports, and files beside it that it names in a string."""
    for node in _running(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and path.is_relative_to(PACKAGE):
            # A program that is started as a process of its own, or a template.
            beside = path.parent / node.value if node.value.endswith((".py", ".j2")) else None
            if beside and "/" not in node.value and beside.is_file():
                yield beside
        for name in names:
            package, _, module = name.partition(".")
            found = _file_of(module) if package == PACKAGE.name else None
            if found:
                yield found


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under ``if TYPE_CHECKING``."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            todo += node.orelse
        else:
            todo += ast.iter_child_nodes(node)


def _path_of(module: str) -> Path:
    found = _file_of(module)
    if found is None:
        raise ValueError(f"{PACKAGE.name} has no module {module!r}")
    return found


def _file_of(module: str) -> Path | None:
    base = PACKAGE.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
