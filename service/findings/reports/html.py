"""A report as one HTML file: no script, nothing that is fetched, A4 in print, light and dark on a screen."""

from base64 import b64encode
from collections.abc import Iterator
from html import escape

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

# A picture is an image of its own, because pictures in the page would share their ids.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm; }
:root { color-scheme: light; }
body { font: 10.5pt/1.45 system-ui, "Segoe UI", Roboto, Arial, sans-serif; color: #1f2429; background: #fff;
  max-width: 178mm; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 18pt; line-height: 1.2; margin: 0 0 .2rem; }
h2 { font-size: 12.5pt; margin: 1.6rem 0 .4rem; border-bottom: 1px solid #c9d1d8; break-after: avoid; }
p { margin: .4rem 0; }
.quiet, figcaption, caption { color: #4d5760; font-size: 9pt; text-align: left; }
.strong { font-size: 12pt; font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: 9pt; }
caption { caption-side: top; padding-bottom: .2rem; }
th, td { border-bottom: 1px solid #dfe4e8; padding: .2rem .4rem; text-align: right; vertical-align: top; }
th { overflow-wrap: normal; }
th:first-child, td:first-child { min-width: 7em; }
th:first-child, td:first-child, .words th, .words td { text-align: left; }
thead { display: table-header-group; }
tr, figure { break-inside: avoid; }
figure { margin: .8rem 0; }
img { width: 100%; height: auto; display: block; }
pre { font: 8.5pt/1.4 ui-monospace, Consolas, Menlo, monospace; background: #f4f6f8; padding: .5rem .7rem;
  white-space: pre-wrap; }
@media print { body { margin: 0; padding: 0; max-width: none; } pre { background: none; border: 1px solid #dfe4e8; } }
"""


def write(document: Document) -> Iterator[str]:
    """Write a report, in pieces."""
    title = _text(document.title)
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{title}</h1>\n<p class="quiet">{_text(document.subtitle)}</p>\n'
    )
    for section in document.sections:
        yield from _section(section)
    if document.references:
        yield "<section>\n<h2>References</h2>\n<ol>\n"
        yield from (f"<li>{_text(str(one))}.</li>\n" for one in document.references)
        entries = "\n\n".join(one.bibtex() for one in document.references)
        yield f"</ol>\n<pre>{escape(entries)}</pre>\n</section>\n"
    yield "</main>\n</body>\n</html>\n"


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{_text(section.title)}</h2>\n"
    for block in section.blocks:
        yield _block(block)
    yield "</section>\n"


def _block(block: Block) -> str:
    match block:
        case Paragraph(text, strong):
            how = ' class="strong"' if strong else ""
            return f"<p{how}>{_text(text)}</p>\n"
        case Listing(items):
            return "<ul>\n" + "".join(f"<li>{_text(item)}</li>\n" for item in items) + "</ul>\n"
        case Code(text):
            return f"<pre>{escape(text)}</pre>\n"
        case Table():
            return _table(block)
        case Figure():
            picture = b64encode(block.svg).decode()
            image = f'<img src="data:image/svg+xml;base64,{picture}" alt="{_text(block.alt)}">'
            return f"<figure>\n{image}\n<figcaption>{_text(block.caption)}</figcaption>\n</figure>\n"
        case Intervals():
            raise TypeError("a page has pictures instead of intervals")


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>\n" for row in table.rows)
    kind = ' class="words"' if table.has_words else ""
    caption = f"<caption>{_text(table.caption)}</caption>"
    return f"<table{kind}>\n{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"


def _text(text: str) -> str:
    return escape(visible(text))
