"""From the records of files to rows: what the templates of a config file make of each, or why it becomes none."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instruction_selection.core.errors import InputError
from instruction_selection.core.example import Content
from instruction_selection.data import chats, formats, left_out, template_values, templates
from instruction_selection.data.template_limits import Limits

#: Characters of an exception's text in an error; a template may put a whole value there.
LONGEST_REASON = 160


@dataclass(frozen=True)
class Record:
    """One record of a file."""

    path: Path
    #: From 0, in its file.
    number: int
    #: {task, instruction, response, record}, and overlap_text if the layout has it. Without `record` if left out.
    row: Content
    #: Why it is left out (`left_out`), or None.
    reason: str | None

    @property
    def key(self) -> str:
        """Its name within its file, for errors and summaries."""
        return f"record {self.number}"


def read(layout: dict, paths: list[Path]) -> Iterator[Record]:
    """Every record of some files; `layout` is a block of templates (`experiment.rows.Rows`).

    Raises `InputError` for a file that cannot be read and for a record that does not fit a template.
    """
    parts = {name: templates.compiled(layout[name]) for name in templates.ROW if layout.get(name) is not None}
    limits = Limits()
    for path in paths:
        about: dict = {"path": template_values.of_path(path)}
        document = None
        for number, (record, whole) in enumerate(formats.read(path, layout)):
            if whole is not document:
                document, about["document"] = whole, template_values.plain(whole)
            shown = template_values.plain(record)
            row: dict[str, Any] = {}
            name = ""
            try:
                with limits:
                    for name, template in parts.items():
                        row[name] = templates.render(template, {**shown, **about, "record": shown})
            except template_values.NoValueError:
                yield Record(path, number, Content(**row), left_out.NO_VALUE)
                continue
            except templates.NOT_RENDERED as error:
                reason = " ".join(str(error).split()).removesuffix(".")
                sentence = f"the template {name!r} does not fit this record ({reason[:LONGEST_REASON]})"
                raise InputError("template-does-not-fit", sentence, path=path, key=f"record {number}") from error
            reason = None
            if layout.get("messages"):
                try:
                    row |= chats.content(record, layout["messages"])
                except chats.NoExampleError as error:
                    reason = str(error)
            reason = reason or left_out.reason(row, layout["control_tokens"] == "keep")
            if "system" in row:
                row |= chats.with_system(row.pop("system"), row)
            yield Record(path, number, Content(**row, record=record), reason)
