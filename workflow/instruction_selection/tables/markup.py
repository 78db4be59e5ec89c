"""Columns of text as a GitHub pipe table and as a LaTeX one."""

import re
from dataclasses import dataclass
from typing import NamedTuple

#: What a cell shows that has no value.
NOTHING = "–"
#: An underscore inside a word is not markup.
MARKUP = re.compile(r"[\\`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
#: A hyphen that is a minus sign.
MINUS = re.compile(r"(?<![\w-])-(?=\d)")
TEX = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "[": "{[}",  # after a line's end it would be an argument
        "±": r"$\pm$",
        "†": r"$\dagger$",
        "–": "--",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "\u00a0": "~",
    }
)


class Cell(NamedTuple):
    """`strong` is in bold, before `text`."""

    text: str
    strong: str = ""


@dataclass
class Column:
    heading: str
    cells: list[Cell]
    #: Numbers stand to the right.
    right: bool = True


def markdown(columns: list[Column]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*map(_aligned, columns), strict=True))


def _aligned(column: Column) -> list[str]:
    """A column's lines at one width."""
    heading = escaped(column.heading)
    cells = [(f"**{escaped(cell.strong)}**" if cell.strong else "") + escaped(cell.text) for cell in column.cells]
    width = max(map(len, (heading, *cells)))
    justify, end = (str.rjust, ":") if column.right else (str.ljust, "-")
    return [justify(heading, width), "-" * (width - 1) + end, *(justify(cell, width) for cell in cells)]


def escaped(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown or a pipe table would read as markup."""
    return MARKUP.sub(r"\\\g<0>", re.sub(r"\s+", " ", text))


def tex(columns: list[Column], caption: str, label: str, note: str) -> str:
    """A floating table for ``\\input``, never wider than the text; it needs the packages booktabs and graphicx."""
    lines = zip(*map(_tex_column, columns), strict=True)
    heading, *body = [f"{' & '.join(line)} \\\\" for line in lines]
    return "\n".join(
        [
            r"\begin{table}[tbp]",
            r"\centering",
            # An article has none between a caption and the table below it.
            r"\setlength{\belowcaptionskip}{\abovecaptionskip}",
            rf"\caption{{{tex_escaped(caption)}}}",
            rf"\label{{{label}}}",
            r"\footnotesize",
            r"\setlength{\tabcolsep}{4pt}",
            # Scales a table that is too wide, and leaves others as they are.
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{''.join('r' if column.right else 'l' for column in columns)}}}",
            r"\toprule",
            heading,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            "",
            r"\smallskip",
            rf"\parbox{{\linewidth}}{{\scriptsize {note}}}",
            r"\end{table}",
            "",
        ]
    )


def tex_escaped(text: str) -> str:
    return text.translate(TEX)


def _tex_column(column: Column) -> list[str]:
    lines = [tex_escaped(column.heading), *map(_tex, column.cells)]
    return [MINUS.sub("$-$", line) for line in lines] if column.right else lines


def _tex(cell: Cell) -> str:
    strong = rf"\textbf{{{tex_escaped(cell.strong)}}}" if cell.strong else ""
    return strong + tex_escaped(cell.text)
