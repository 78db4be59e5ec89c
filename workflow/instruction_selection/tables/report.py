"""The experiment's report: one HTML page that needs no other file and no network."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from instruction_selection.tables import chosen
from instruction_selection.tables.chosen import Drawing, ShownSelection
from instruction_selection.tables.stages import Stage

#: Only what `render.to_markdown` writes: neither HTML nor images, which a label could smuggle in.
MARKDOWN = MarkdownIt("zero").enable(["heading", "table", "emphasis", "escape"])


class _PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice twice, not as an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@dataclass(frozen=True)
class ShownTable:
    """A table as Markdown (of `render.to_markdown`) and its figure as SVG."""

    name: str
    markdown: str
    figure: str


@dataclass(frozen=True)
class Report:
    """The content of the page."""

    experiment: str
    summary: str
    #: With all defaults, as plain data.
    settings: dict[str, Any]
    tables: Sequence[ShownTable]
    selections: Sequence[ShownSelection]
    #: By target, of `chosen.overlap`.
    overlaps: dict[str, Sequence[Drawing]]
    stages: Sequence[Stage]
    #: By package.
    versions: dict[str, str]
    git_commit: str


def render(report: Report) -> str:
    """The page's HTML."""
    return TEMPLATES.get_template("report.html.j2").render(
        report=report,
        counts=chosen.COUNTS,
        settings=yaml.dump(report.settings, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=100),
    )


def _table_html(markdown: str) -> Markup:
    html = MARKDOWN.render(markdown)
    # So that on a narrow screen the table scrolls and not the page; with the keyboard, too.
    html = html.replace("<table>", '<div class="scroll" role="region" aria-label="Table" tabindex="0">\n<table>')
    return Markup(html.replace("</table>", "</table>\n</div>"))


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"table_html": _table_html, "data_uri": _data_uri}
