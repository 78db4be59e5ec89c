"""The LaTeX tables, typeset by LaTeX."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from support.table_cells import METHODS, POOLS, cell, collect, spec

from instruction_selection.tables import render, results
from instruction_selection.tables.cells import EvaluatedCell

pytestmark = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
#: Writes the width of each table before it is scaled.
ARTICLE = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\newsavebox\unscaled
\let\scaled\resizebox
\renewcommand\resizebox[3]{\sbox\unscaled{#3}\typeout{WIDTH \the\wd\unscaled\space of \the\linewidth}%
  \scaled{#1}{#2}{#3}}
\begin{document}
See Table~\ref{tab:first-acc}.
\input{first}
\input{second}
\end{document}
"""
#: Every character that LaTeX reads as markup, and letters with accents.
LABEL = r"É 50 % & $x_1$ \y {a} ~ ^ #1 <b> |c| [d] – ± †"


def typeset(folder: Path, tables: dict[str, str]) -> str:
    """LaTeX's log of the second run, which knows the labels."""
    (folder / "article.tex").write_text(ARTICLE)
    for name, text in tables.items():
        (folder / f"{name}.tex").write_text(text)
    for _ in range(2):
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "article"]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        assert result.returncode == 0, result.stdout
    return (folder / "article.log").read_text(errors="replace")


def seeded() -> list[EvaluatedCell]:
    """Two methods of three seeds, which differ a little, so that all columns of a comparison are shown."""
    return [
        cell(
            method,
            seed,
            values={
                name: {str(row): float(row == seed or (method == "less" and row > 4)) for row in range(20)}
                for name in ("acc", "loss")
            },
        )
        for method in ("random", "less")
        for seed in range(3)
    ]


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> str:
    entries = {
        **METHODS,
        "less": replace(METHODS["less"], label=LABEL),
        "random": replace(METHODS["random"], label="Random, as many as G2IS"),
    }
    described = spec(entries=entries, baseline="random")
    many = [
        cell(method, model=model, pool=pool, ratio=str(ratio))
        for model in ("tiny", "big")
        for pool in ("p", "q")
        for method in ("less", "random")
        for ratio in range(7)
    ]
    tables = {
        "first": render.to_tex(results.collect(seeded(), described, POOLS, {}), described, "first"),
        "second": render.to_tex(collect(many, kind="benchmarks"), spec(kind="benchmarks"), "second"),
    }
    return typeset(tmp_path_factory.mktemp("latex"), tables)


def test_latex__is_typeset_without_a_warning_and_labels_are_found(log):
    assert not re.findall("undefined|multiply defined|Overfull|Float too large", log)
    assert "Output written on article.pdf" in log


def test_latex__table_is_scaled_to_five_sixths_at_most(log):
    widths = [tuple(map(float, pair)) for pair in re.findall(r"WIDTH (.*)pt of (.*)pt", log)]
    assert len(widths) > 4
    assert max(width / line for width, line in widths) < 1.2
