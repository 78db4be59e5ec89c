"""The experiment's report: one HTML page that needs no other file and no network."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from instruction_selection.tables import chosen
from instruction_selection.tables.chosen import Drawing, ShownSelection
from instruction_selection.tables.findings import Finding
from instruction_selection.tables.stages import Stage

#: Only what `render.to_markdown` writes: neither HTML nor images, which a label could smuggle in.
MARKDOWN = MarkdownIt("zero").enable(["heading", "table", "emphasis", "escape"])


class _PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice twice, not as an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@dataclass(frozen=True)
class ShownTable:
    """A table as Markdown (of `render.to_markdown`), its figure as SVG, and what it shows."""

    name: str
    label: str
    findings: Sequence[Finding]
    #: Of `overview`.
    differences: Sequence[Drawing]
    behind_scores: Sequence[Drawing]
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
    #: By target, of `chosen.tasks` and `chosen.overlap`.
    tasks: dict[str, Sequence[Drawing]]
    overlaps: dict[str, Sequence[Drawing]]
    #: Of `overview.loss_curves`.
    warmups: Sequence[Drawing]
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
    """The tables with headers of rows and columns, each in a box that scrolls, with the keyboard too."""
    tokens, heading = [], ""
    parsed = MARKDOWN.parse(markdown)
    for place, token in enumerate(parsed):
        if token.type == "heading_open":
            heading = "".join(child.content for child in parsed[place + 1].children or ())
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.type == "td_open" and parsed[place - 1].type == "tr_open":
            token.tag = parsed[place + 2].tag = "th"
            token.attrSet("scope", "row")
        if token.type == "table_open":
            box = f'<div class="scroll" role="region" aria-label="{escape(heading)}" tabindex="0">\n'
            tokens.append(Token("html_block", "", 0, content=box))
        tokens.append(token)
        if token.type == "table_close":
            tokens.append(Token("html_block", "", 0, content="</div>\n"))
    return Markup(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))


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
