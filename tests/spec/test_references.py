"""References of the catalogue: one source for lines of text and for entries of BibTeX."""

import re

import pytest

from service.findings.reports import methods
from service.spec import literature
from service.spec.optimizers import OPTIMIZERS
from service.spec.references import Reference, cite

ALL = [one for module in (literature, methods) for one in vars(module).values() if isinstance(one, Reference)]


def test_a_line_names_surnames_title_and_year() -> None:
    assert str(literature.KINGMA_2015) == "Kingma, Ba: Adam: A Method for Stochastic Optimization (2015)"
    assert str(literature.YOU_2020).startswith("You et al.: Large Batch")
    line = cite(literature.KINGMA_2015, "; amsgrad: ", literature.REDDI_2018)
    assert line.startswith("Kingma, Ba: ")
    assert "; amsgrad: Reddi, Kale, Kumar: " in line
    assert line.references == (literature.KINGMA_2015, literature.REDDI_2018)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_has_references_for_bibtex(kind: type) -> None:
    assert kind.reference.references  # type: ignore[attr-defined]


def test_keys_are_unique_and_entries_are_ascii_with_balanced_braces() -> None:
    assert len({one.key for one in ALL}) == len(ALL) > 25
    for one in ALL:
        entry = one.bibtex()
        assert entry.isascii(), entry
        assert entry.count("{") == entry.count("}")
        assert re.fullmatch(r"@(article|inproceedings|misc)\{[a-z]+\d{4},\n(  \w+ = \{.+\},?\n)+\}", entry)
        assert {"author", "title", "year"} <= set(re.findall(r"^  (\w+) =", entry, re.MULTILINE))
        assert not re.search(r"(?<!\\)[&%#_]", entry.replace("https://", "")), entry


def test_a_title_with_a_power_and_left_out_authors_are_written_for_latex() -> None:
    assert "Convergence Rate O(1/k$^2$)" in literature.NESTEROV_1983.bibtex()
    assert "author = {You, Yang and others}" in literature.YOU_2020.bibtex()
