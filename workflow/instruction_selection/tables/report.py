"""The experiment's report: one HTML page that needs no other file and no network."""

import base64
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

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
    versions: dict[str, str],
    git_commit: str,
) -> str:
    """The page's HTML.

    `tables` maps each target to the Markdown of `table.to_markdown`, and `figures` the same targets to an SVG file,
    which is embedded. `settings` are the resolved ones, as plain data; `versions` maps packages to theirs.
    """
    targets = [
        {"name": target, "table": _table_html(markdown), "figure": _data_uri(figures[target])}
        for target, markdown in tables.items()
    ]
    return TEMPLATES.get_template("report.html.j2").render(
        experiment_name=experiment_name,
        summary=summary,
        targets=targets,
        settings=yaml.dump(settings, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=100),
        versions=versions,
        git_commit=git_commit,
    )


def _table_html(markdown: str) -> Markup:
    html = MARKDOWN.render(markdown)
    # So that on a narrow screen the table scrolls and not the page; with the keyboard, too.
    html = html.replace("<table>", '<div class="scroll" role="region" aria-label="Table" tabindex="0">\n<table>')
    return Markup(html.replace("</table>", "</table>\n</div>"))


def _data_uri(svg: str | Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(Path(svg).read_bytes()).decode("ascii")
