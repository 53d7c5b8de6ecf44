"""Output of a figure as PNG or SVG, with a title and an alternative text."""

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Literal
from xml.sax.saxutils import escape

from service.findings.plots.fonts import FONT, families
from service.findings.plots.style import DOTS_PER_INCH, Sheet

Format = Literal["png", "svg"]
_FONTS = ", ".join(f"'{name}'" for name in families()).encode()
_OPENING = re.compile(rb"<svg ")
_METADATA = re.compile(rb"<metadata>.*?</metadata>\s*", re.DOTALL)


@dataclass(frozen=True)
class Drawn:
    """The bytes of a picture, and its alternative text."""

    data: bytes
    alt: str


@dataclass(frozen=True)
class Picture:
    """A figure with its title and its alternative text."""

    sheet: Sheet
    title: str
    alt: str


def render(picture: Picture, form: Format, density: int) -> bytes:
    """Write a picture; equal figures give equal bytes."""
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
    # Verdana is as wide as DejaVu Sans, for which the layout is computed, and is available on other systems.
    # Browsers choose fonts for other characters by themselves.
    svg = svg.replace(_FONTS, f"'{FONT}', Verdana, sans-serif".encode())
    words = f"<title>{escape(picture.title)}</title>\n<desc>{escape(picture.alt)}</desc>\n".encode()
    opening = _OPENING.search(svg)
    assert opening is not None, "matplotlib writes an <svg> element"
    end = svg.index(b">", opening.start()) + 1
    return svg[: opening.end()] + b'role="img" ' + svg[opening.end() : end] + b"\n" + words + svg[end:]
