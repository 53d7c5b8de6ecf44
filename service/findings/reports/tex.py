"""A report as one LaTeX file that compiles by itself: tables, and a figure of intervals drawn by pgfplots.

The other figures are fetched by commands that the file lists. The entries of BibTeX follow the end of the document,
where LaTeX ignores them.
"""

import math
from collections.abc import Iterator

from service.findings.reports.document import (
    Block,
    Code,
    Document,
    Figure,
    Intervals,
    Listing,
    Paragraph,
    Section,
    Table,
)
from service.findings.reports.tex_text import UNICODE_MACRO, text_of, verbatim_of

_PREAMBLE = rf"""\documentclass[11pt,a4paper]{{article}}
\usepackage[T1]{{fontenc}}
\usepackage{{textcomp}}
\usepackage[margin=22mm]{{geometry}}
\usepackage{{array,longtable,booktabs}}
\usepackage{{listings}}
\usepackage{{pgfplots}}
\pgfplotsset{{compat=1.16}}
\lstset{{basicstyle=\ttfamily\footnotesize,breaklines=true,columns=fullflexible,keepspaces=true}}
{UNICODE_MACRO}
\setlength{{\parindent}}{{0pt}}
\setlength{{\parskip}}{{4pt}}
\sloppy
"""
# Widths of a table in parts of a line, without the space between its columns.
_WIDTH, _FIRST_WIDTH = 0.9, 0.26


def write(document: Document) -> Iterator[str]:
    """Write a report, in pieces."""
    yield _PREAMBLE
    yield f"\\title{{{text_of(document.title)}}}\n\\author{{}}\n\\date{{{text_of(document.subtitle)}}}\n"
    yield "\\begin{document}\n\\maketitle\n"
    for section in document.sections:
        yield from _section(section)
    if document.references:
        yield f"\n\\begin{{thebibliography}}{{{len(document.references)}}}\n"
        yield from (f"\\bibitem{{{one.key}}} {text_of(str(one))}.\n" for one in document.references)
        yield "\\end{thebibliography}\n"
    yield "\\end{document}\n"
    if document.references:
        yield "\nEntries for BibTeX:\n\n" + "\n\n".join(one.bibtex() for one in document.references) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"\n\\section*{{{text_of(section.title)}}}\n"
    for block in section.blocks:
        if not isinstance(block, Figure):
            yield _block(block)
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    if figures:
        yield "\nFurther figures, as files:\n"
        yield "\\begin{itemize}\n"
        yield from (f"\\item {text_of(one.name)}: {text_of(one.caption)}\n" for one in figures)
        yield "\\end{itemize}\n"
        yield _code("\n".join(one.command for one in figures))


def _block(block: Block) -> str:
    match block:
        case Paragraph(text, strong):
            return f"\n\\textbf{{{text_of(text)}}}\n" if strong else f"\n{text_of(text)}\n"
        case Listing(items):
            lines = "".join(f"\\item {text_of(item)}\n" for item in items)
            return f"\\begin{{itemize}}\n{lines}\\end{{itemize}}\n"
        case Code(text):
            return _code(text)
        case Table():
            return _table(block)
        case Intervals():
            return _plot(block)
        case Figure():
            raise TypeError("figures are written by their section")


def _code(text: str) -> str:
    return f"\\begin{{lstlisting}}\n{verbatim_of(text)}\n\\end{{lstlisting}}\n"


def _table(table: Table) -> str:
    num = len(table.columns)
    widths = (
        [_WIDTH / num] * num if table.has_words else [_FIRST_WIDTH, *[(_WIDTH - _FIRST_WIDTH) / (num - 1)] * (num - 1)]
    )
    sides = ["raggedright"] * num if table.has_words else ["raggedright", *["raggedleft"] * (num - 1)]
    columns = "".join(
        f">{{\\{side}\\arraybackslash}}p{{{width:.3f}\\linewidth}}" for side, width in zip(sides, widths, strict=True)
    )
    head = " & ".join(text_of(name) for name in table.columns)
    rows = "".join(" & ".join(text_of(cell) for cell in row) + " \\\\\n" for row in table.rows)
    return (
        f"\n{{\\footnotesize\\setlength{{\\tabcolsep}}{{3pt}}\n\\begin{{longtable}}{{{columns}}}\n"
        f"\\caption{{{text_of(table.caption)}}}\\\\\n\\toprule\n{head} \\\\\n\\midrule\n\\endhead\n"
        f"{rows}\\bottomrule\n\\end{{longtable}}}}\n"
    )


def _plot(found: Intervals) -> str:
    """Draw a dot and an interval per label; an end that is not finite is left out."""
    names = ",".join(f"{{{text_of(label)}}}" for label, *_ in found.rows)
    places = ",".join(str(at) for at in range(len(found.rows)))
    points = "".join(
        f"({value!r},{at}) +- ({max(high - value, 0.0)!r},0) -= ({max(value - low, 0.0)!r},0)\n"
        if math.isfinite(low) and math.isfinite(high)
        else f"({value!r},{at})\n"
        for at, (_, value, low, high) in enumerate(found.rows)
        if math.isfinite(value)
    )
    scale = "xmode=log," if found.is_log else ""
    height = 2.2 + 0.6 * len(found.rows)
    return (
        "\n\\begin{center}\n\\begin{tikzpicture}\n"
        f"\\begin{{axis}}[width=0.75\\linewidth,height={height:.1f}cm,{scale}y dir=reverse,"
        f"ymin=-0.5,ymax={len(found.rows) - 0.5},xlabel={{{text_of(found.axis)}}},"
        f"ytick={{{places}}},yticklabels={{{names}}},xmajorgrids]\n"
        "\\addplot[only marks,mark=*,error bars/.cd,x dir=both,x explicit] coordinates {\n"
        f"{points}}};\n\\end{{axis}}\n\\end{{tikzpicture}}\n\n{text_of(found.caption)}\n\\end{{center}}\n"
    )
