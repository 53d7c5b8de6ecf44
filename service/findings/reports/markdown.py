"""A report as one Markdown file; its figures are files beside it, with the commands that fetch them."""

import re
from collections.abc import Iterator, Sequence

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
from service.spec.visible import visible

# Characters with a meaning inside a line: emphasis, code, links, markup, entities, tables, formulas, mentions.
_INLINE = re.compile(r"([\\`*_\[\]<>&|~$@])")
# Beginnings of a line that would make it a heading, an item of a list, a rule or a definition.
_START = re.compile(r"^(\s*)(\d{1,9}(?=[.)](?:\s|$))|(?=[-+](?:\s|$)|--|[=#:]))")
_ADDRESS = re.compile(r"(?<=\w)(?=://)|(?<=\bwww)(?=\.)")


def write(document: Document) -> Iterator[str]:
    """Write a report, in pieces."""
    yield f"# {text_of(document.title)}\n\n{text_of(document.subtitle)}\n"
    for section in document.sections:
        yield from _section(section)
    if document.references:
        yield "\n## References\n\n"
        yield from (f"- {text_of(str(one))}.\n" for one in document.references)
        yield _fenced("\n\n".join(one.bibtex() for one in document.references), "bibtex")


def text_of(text: str) -> str:
    """Escape a text so that Markdown shows it as it is."""
    escaped = _ADDRESS.sub(r"\\", _INLINE.sub(r"\\\1", visible(text)))
    # Four spaces at the beginning would be a block of code.
    return _START.sub(lambda found: f"{found[1]}{found[2]}\\", escaped).replace(" ", "&#32;", escaped[:1] == " ")


def _section(section: Section) -> Iterator[str]:
    yield f"\n## {text_of(section.title)}\n"
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    if figures:
        yield "\nThe figures are files beside this one:\n"
        yield _fenced("\n".join(figure.command for figure in figures), "sh")
    for block in section.blocks:
        yield _block(block)


def _block(block: Block) -> str:
    match block:
        case Paragraph(text, strong):
            return f"\n**{text_of(text)}**\n" if strong else f"\n{text_of(text)}\n"
        case Listing(items):
            return "\n" + "".join(f"- {text_of(item)}\n" for item in items)
        case Code(text, language):
            return _fenced(text, language)
        case Table():
            return _table(block)
        case Figure():
            return f"\n![{text_of(block.alt)}]({block.name}.svg)\n"
        case Intervals():
            rows = tuple((label, *(f"{value:.4g}" for value in of)) for label, *of in block.rows)
            return _table(Table(block.caption, ("label", block.axis, "low", "high"), rows))


def _table(table: Table) -> str:
    rule = ["---"] + ["---" if table.has_words else "---:"] * (len(table.columns) - 1)
    lines = [_row([text_of(name) for name in table.columns]), _row(rule)]
    lines += [_row([text_of(cell) for cell in row]) for row in table.rows]
    return f"\n{text_of(table.caption)}\n\n" + "".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _fenced(text: str, language: str) -> str:
    """Write a block of code between fences that are longer than any in it."""
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"\n{fence}{language}\n{text}\n{fence}\n"
