"""How a figure becomes bytes, with the words that stand for it where it cannot be seen."""

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Literal
from xml.sax.saxutils import escape

from service.findings.plots.style import DOTS_PER_INCH, Sheet

Format = Literal["png", "svg"]
_OPENING = re.compile(rb"<svg ")
_METADATA = re.compile(rb"<metadata>.*?</metadata>\s*", re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """A figure, its title, and its alternative text: what it shows, in sentences."""

    sheet: Sheet
    title: str
    alt: str


def render(picture: Picture, form: Format, density: int) -> bytes:
    """Write a picture; the same figure always gives the same bytes."""
    buffer = BytesIO()
    if form == "png":
        picture.sheet.figure.savefig(
            buffer,
            format="png",
            dpi=DOTS_PER_INCH * density,
            metadata={"Title": picture.title, "Description": picture.alt, "Software": "Ravine"},
        )
        return buffer.getvalue()
    picture.sheet.figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = _METADATA.sub(b"", buffer.getvalue(), count=1)
    # Verdana is as wide as the font that the layout was made with, and is there where that is not.
    svg = svg.replace(b"'DejaVu Sans'", b"'DejaVu Sans', Verdana, sans-serif")
    words = f"<title>{escape(picture.title)}</title>\n<desc>{escape(picture.alt)}</desc>\n".encode()
    opening = _OPENING.search(svg)
    assert opening is not None, "matplotlib writes an <svg> element"
    end = svg.index(b">", opening.start()) + 1
    return svg[: opening.end()] + b'role="img" ' + svg[opening.end() : end] + b"\n" + words + svg[end:]
