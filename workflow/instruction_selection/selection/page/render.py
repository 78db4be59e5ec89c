"""The page as HTML: its content as JSON, which a small script shows as text."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from instruction_selection.selection.page.content import Content


class Link(NamedTuple):
    """Another selection's page, by its path from this one."""

    label: str
    path: str


@dataclass(frozen=True)
class Heading:
    """What the experiment calls a selection; `about` is one sentence on the method. `target` is None for a method that
    knows none."""

    method: str
    about: str
    pool: str
    target: str | None
    ratio: str
    seed: int
    others: Sequence[Link]

    @classmethod
    def of(cls, names: Mapping[str, Any]) -> Self:
        """From plain values, `others` being pairs."""
        return cls(**{**names, "others": [Link(*other) for other in names["others"]]})


def render(heading: Heading, content: Content) -> str:
    """The same input gives the same page. It needs scripts, and allows only its own."""
    script = TEMPLATES.get_template("table.js.j2").render()
    shown = {"rows": content.rows, "validation": content.validation, "map": content.map and asdict(content.map)}
    return TEMPLATES.get_template("page.html.j2").render(
        heading=heading,
        content=content,
        chosen=sum(row["step"] is not None for row in content.rows),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=shown,
    )


TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
