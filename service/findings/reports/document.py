"""Parts of a report, without any markup: each format writes the same parts.

All texts are plain: formats escape them. Control characters are shown by their codes (service/spec/visible.py).
"""

from dataclasses import dataclass, field

from service.spec.references import Reference


@dataclass(frozen=True)
class Paragraph:
    """Sentences; ``strong`` are those that answer the question."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Listing:
    """Short texts, one below the other."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first column has names, all others numbers unless ``has_words``."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    has_words: bool = False


@dataclass(frozen=True)
class Code:
    """Lines for a shell or a file, in ASCII or with letters of any script."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Figure:
    """A plot of the job.

    Attributes:
        name: Kind of the plot, and name of the file in which it is fetched.
        caption: What it shows.
        svg: The picture; empty where the format cannot hold it.
        alt: The picture in words; the caption where it was not drawn.
        command: Command line that fetches it.
    """

    name: str
    caption: str
    command: str
    svg: bytes = b""
    alt: str = ""


@dataclass(frozen=True)
class Intervals:
    """Values with intervals, for a format that draws by itself: (label, value, low, high); NaN where there is none."""

    caption: str
    axis: str
    rows: tuple[tuple[str, float, float, float], ...]
    is_log: bool


Block = Paragraph | Listing | Table | Code | Figure | Intervals


@dataclass(frozen=True)
class Section:
    """A heading with its parts."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report: title, line below it, sections, and the publications that it cites."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    references: tuple[Reference, ...] = field(default=())
