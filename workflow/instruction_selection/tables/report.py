"""The experiment's report: one HTML page that needs no other file and no network."""

import base64
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from instruction_selection.tables import chosen

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
#: Only what `table.to_markdown` writes: neither HTML nor images, which a label could smuggle in.
MARKDOWN = MarkdownIt("zero").enable(["heading", "table", "emphasis", "escape"])


class _PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice twice, not as an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def render(
    experiment_name: str,
    summary: str,
    settings: dict,
    tables: dict[str, str],
    figures: dict[str, str | Path],
    selections: list[dict],
    overlaps: dict[str, list[tuple[str, str]]],
    stages: list[dict],
    versions: dict[str, str],
    git_commit: str,
) -> str:
    """The page's HTML.

    `tables` maps each target to the Markdown of `table.to_markdown`, and `figures` the same targets to an SVG file,
    which is embedded. `settings` are the resolved ones, as plain data; `versions` maps packages to theirs. `selections`
    are of `chosen.sections`, `overlaps` of `chosen.overlap` for each target, and `stages` of `stages.build`.
    """
    shown = [
        {"name": name, "table": _table_html(markdown), "figure": _data_uri(Path(figures[name]).read_text("utf-8"))}
        for name, markdown in tables.items()
    ]
    return TEMPLATES.get_template("report.html.j2").render(
        experiment_name=experiment_name,
        summary=summary,
        tables=shown,
        overlaps={target: [(label, _data_uri(svg)) for label, svg in drawn] for target, drawn in overlaps.items()},
        selections=[
            {**entry, "drawings": [(label, _data_uri(svg)) for label, svg in entry["drawings"]]} for entry in selections
        ],
        counts=list(chosen.COUNTS.values()),
        stages=stages,
        settings=yaml.dump(settings, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=100),
        versions=versions,
        git_commit=git_commit,
    )


def _table_html(markdown: str) -> Markup:
    html = MARKDOWN.render(markdown)
    # So that on a narrow screen the table scrolls and not the page; with the keyboard, too.
    html = html.replace("<table>", '<div class="scroll" role="region" aria-label="Table" tabindex="0">\n<table>')
    return Markup(html.replace("</table>", "</table>\n</div>"))


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
