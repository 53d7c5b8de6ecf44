"""References of the catalogue: written once, shown as a line of text and as an entry of BibTeX."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Signs of titles in LaTeX. Entries of BibTeX are ASCII.
_LATEX = {"²": "$^2$", "–": "--", "φ": "$\\varphi$", "'": "'"}
_SPECIAL = re.compile(r"([&%$#_{}])")


@dataclass(frozen=True)
class Reference:
    """A publication.

    Attributes:
        key: Key of the entry of BibTeX, unique.
        authors: "Given Surname" each.
        title: The title.
        year: Year of publication.
        journal: Journal, with ``pages`` and ``volume`` if known.
        conference: Title of proceedings.
        published: Where else it appeared, such as a preprint server.
        others: Whether further authors are left out.
        url: Address, for what appeared on the web.
    """

    key: str
    authors: tuple[str, ...]
    title: str
    year: int
    journal: str = ""
    volume: str = ""
    pages: str = ""
    conference: str = ""
    published: str = ""
    others: bool = False
    url: str = ""

    def __str__(self) -> str:
        surnames = ", ".join(author.rpartition(" ")[2] for author in self.authors)
        return f"{surnames}{' et al.' if self.others else ''}: {self.title} ({self.year})"

    def bibtex(self) -> str:
        """Write the entry of BibTeX, in ASCII."""
        kind = "article" if self.journal else "inproceedings" if self.conference else "misc"
        lines = "".join(f",\n  {name} = {{{value}}}" for name, value in self._fields() if value)
        return f"@{kind}{{{self.key}{lines}\n}}"

    def _fields(self) -> Iterator[tuple[str, str]]:
        authors = [f"{author.rpartition(' ')[2]}, {author.rpartition(' ')[0]}" for author in self.authors]
        yield "author", " and ".join([*map(_latex, authors), *(["others"] if self.others else [])])
        # The second braces keep capital letters.
        yield "title", f"{{{_latex(self.title)}}}"
        yield "journal", _latex(self.journal)
        yield "booktitle", _latex(self.conference)
        yield "volume", self.volume
        yield "pages", self.pages.replace("-", "--")
        yield "howpublished", _latex(self.published)
        yield "url", self.url
        yield "year", str(self.year)


def _latex(text: str) -> str:
    """Write a text of this file in LaTeX."""
    escaped = _SPECIAL.sub(r"\\\1", text)
    return "".join(_LATEX.get(sign, sign) for sign in escaped)


class Citation(str):
    """A line of text with references."""

    references: tuple[Reference, ...]

    def __new__(cls, *parts: Any) -> "Citation":
        """Join texts and references."""
        made = super().__new__(cls, "".join(map(str, parts)))
        made.references = tuple(part for part in parts if isinstance(part, Reference))
        return made


def cite(*parts: Reference | str) -> Citation:
    """Make a line of references with texts between them."""
    return Citation(*parts)
