"""References of the catalogue: one source for lines of text and for entries of BibTeX."""

import re

import pytest

from service.findings.reports import methods
from service.spec.literature import KINGMA_2015
from service.spec.optimizers import BUILT_IN
from service.spec.optimizers.adam import REDDI_2018
from service.spec.optimizers.sgd import NESTEROV_1983
from service.spec.optimizers.trust_ratio import YOU_2020
from service.spec.references import Reference, cite

OF_STATISTICS = [one for one in vars(methods).values() if isinstance(one, Reference)]
ALL = {*OF_STATISTICS, *(one for kind in BUILT_IN for one in kind.reference.references)}  # type: ignore[attr-defined]


def test_a_line_names_surnames_title_and_year() -> None:
    assert str(KINGMA_2015) == "Kingma, Ba: Adam: A Method for Stochastic Optimization (2015)"
    assert str(YOU_2020).startswith("You et al.: Large Batch")
    line = cite(KINGMA_2015, "; amsgrad: ", REDDI_2018)
    assert line.startswith("Kingma, Ba: ")
    assert "; amsgrad: Reddi, Kale, Kumar: " in line
    assert line.references == (KINGMA_2015, REDDI_2018)


@pytest.mark.parametrize("kind", BUILT_IN)
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
    assert "Convergence Rate O(1/k$^2$)" in NESTEROV_1983.bibtex()
    assert "author = {You, Yang and others}" in YOU_2020.bibtex()
