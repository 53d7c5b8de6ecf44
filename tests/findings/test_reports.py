"""Reports of each kind of job: what they say, equal bytes, and what they never load."""

import base64
import json
import re
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest

from service.database.connection import Database
from service.findings.comparison.job import compare
from service.findings.reports.formats import REPORT_FORMATS, report
from service.findings.reports.tex_text import text_of
from service.jobs import lifecycle
from service.jobs.owners import ANYBODY
from service.spec.job import JobSpec
from tests import deciding
from tests.findings.test_report_texts import check_latex
from tests.stored import Stored
from tests.trained import trained

RAVINE = {"kind": "surface", "name": "ravine", "noise": 0.1}
RATES: dict[str, Any] = {
    "name": "rates",
    "problem": RAVINE,
    "optimizers": [{"label": "slow", "kind": "sgd", "lr": 0.0005}, {"label": "fast", "kind": "sgd", "lr": 0.02}],
    "seeds": {"count": 8},
    "epochs": 30,
    "criterion": "final_loss",
}
SEARCH: dict[str, Any] = {
    "problem": {"kind": "flipnet"},
    "optimizers": ["sgd", {"kind": "adam", "lr": {"from": 0.001, "to": 0.1, "scale": "log"}}],
    "search": {"trials": 8, "method": "random", "seed": 5},
    "seeds": {"count": 12},
    "epochs": 3,
}
HOSTILE = "\\end{lstlisting} ```\n</pre><script>x</script> $\\frac$ |\x1b\u202e 损"


@pytest.fixture(scope="module")
def rates(shared_database: Database) -> str:
    return trained(shared_database, RATES)


@pytest.fixture(scope="module")
def search(shared_database: Database) -> str:
    return trained(shared_database, SEARCH)


def written(shared_database: Database, job: str, form: str = "md") -> str:
    with shared_database.snapshot() as session:
        return report(session, lifecycle.find(session, job, ANYBODY), form).decode()


def verdict(shared_database: Database, job: str) -> str:
    with shared_database.snapshot() as session:
        return str(compare(session, lifecycle.find(session, job, ANYBODY))["verdict"])


def plain(text: str, form: str) -> str:
    """Give the text of a report without the marks of its format, and in one line."""
    text = unescape(re.sub(r"<[^>]+>", " ", text)) if form == "html" else re.sub(r"\\(?=[^\w])|\{\}", "", text)
    return " ".join(text.replace("$-$", "−").split())


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_a_report_has_question_protocol_answer_table_and_receipt(
    shared_database: Database, rates: str, form: str
) -> None:
    text = plain(written(shared_database, rates, form), form)
    assert "Which of slow and fast is best on the surface ravine?" in text
    assert "All settings have the same 8 seeds (seeds 0 to 7)." in text
    assert "The criterion is final loss (declared in the spec before training; smaller is better)" in text
    assert "95 % simultaneous confidence" in text
    said = verdict(shared_database, rates)
    assert (text_of(said) if form == "tex" else said) in (
        written(shared_database, rates, form) if form == "tex" else text
    )
    assert f"ravine bundle {rates} -o bundle.zip" in text
    assert "torch" in text
    assert "Shaffer" in text
    assert "@article{shaffer1986" in text


@pytest.mark.slow
@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_the_same_job_gives_the_same_bytes(shared_database: Database, search: str, form: str) -> None:
    assert written(shared_database, search, form) == written(shared_database, search, form)


def test_a_page_loads_nothing_prints_on_a4_and_has_whole_pictures(shared_database: Database, search: str) -> None:
    page = written(shared_database, search, "html")
    assert "<script" not in page
    assert not re.search(r"(?:src|href)\s*=\s*\"(?!data:)", page)
    assert not re.search(r"url\(|@import", page)
    assert "@page { size: A4" in page
    pictures = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)">', page)
    assert len(pictures) == 6
    for data, alternative in pictures:
        root = ElementTree.fromstring(base64.b64decode(data))
        assert root.tag.endswith("svg")
        assert len(alternative) > 40


def test_the_report_of_a_search_has_spaces_trials_and_chosen_settings(shared_database: Database, search: str) -> None:
    text = written(shared_database, search)
    assert "Each of SGD, Adam has exactly 8 trials, drawn by uniform random points with seed 5." in text
    assert "6 seeds at even positions chose one setting of each label" in text
    assert "| SGD | Stochastic gradient descent | lr log-uniform in 0.0001 to 1 | 8 |" in text
    assert "lr log-uniform in 0.001 to 0.1" in text
    assert len(re.findall(r"^torch\.optim\.\w+\(model\.parameters\(\)", text, re.MULTILINE)) == 2
    assert "@article{bergstra2012" in text
    assert "sobol1967" not in text
    assert "@inproceedings{dodge2019" in text
    assert f"ravine plot {search} --kind tuning -o tuning.svg" in text


def test_the_spec_of_a_report_is_the_spec_of_the_job(shared_database: Database, search: str) -> None:
    for form, pattern in (("md", r"```json\n(.*?)\n```"), ("tex", r"\\begin\{lstlisting\}\n(\{.*?\n\})\n")):
        found = re.search(pattern, written(shared_database, search, form), re.DOTALL)
        assert found is not None
        assert JobSpec.model_validate(json.loads(found[1])).digest() == JobSpec.model_validate(SEARCH).digest()


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_one_seed_gives_counts_and_no_claim(shared_database: Database, form: str) -> None:
    starts = {"kind": "surface", "name": "ravine", "starts": [[1, 1], [2, 1], [3, 1]]}
    job = trained(shared_database, {**RATES, "problem": starts, "seeds": [4]})
    text = plain(written(shared_database, job, form), form)
    assert "from 3 of 3 fixed starts" in text
    assert "No interval is given: that takes at least 6 judging seeds" in text
    assert "shaffer1986" not in text


@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_a_running_job_has_a_partial_report_without_a_claim(shared_database: Database, form: str) -> None:
    job = Stored(shared_database)
    job.store(0, 4)
    text = plain(written(shared_database, job.id, form), form)
    assert "This report is partial: the job is running." in text
    assert "claims nothing" in text
    assert "ravine bundle" not in text


@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_a_job_without_rows_has_a_report(shared_database: Database, form: str) -> None:
    text = plain(written(shared_database, Stored(shared_database).id, form), form)
    assert "No run has recorded anything yet." in text
    assert "Figures" not in text


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_diverged_runs_and_a_single_label_have_reports(shared_database: Database, form: str) -> None:
    wild = trained(
        shared_database, {**RATES, "optimizers": [{"label": "wild", "kind": "sgd", "lr": 1e200}, *RATES["optimizers"]]}
    )
    text = plain(written(shared_database, wild, form), form)
    assert "8 of 8" in text
    alone = trained(shared_database, {**RATES, "optimizers": RATES["optimizers"][:1]})
    assert "How does slow do on the surface ravine?" in plain(written(shared_database, alone, form), form)
    nothing = {"kind": "surface", "expression": "log(x) + y**2", "start": [-1.0, 1.0]}
    lost = trained(shared_database, {**RATES, "problem": nothing, "seeds": [0]})
    assert verdict(shared_database, lost).split(".")[0] in plain(written(shared_database, lost, form), form)


@pytest.mark.slow
def test_hostile_names_and_labels_stay_texts(shared_database: Database) -> None:
    entries = [{**entry, "label": f"{HOSTILE}{at}"} for at, entry in enumerate(RATES["optimizers"])]
    job = trained(shared_database, {**RATES, "name": HOSTILE, "optimizers": entries, "epochs": 3})
    page = written(shared_database, job, "html")
    assert "<script" not in page
    assert page.count("</pre>") == page.count("<pre>")
    tex = written(shared_database, job, "tex")
    assert tex.isascii()
    assert tex.count("\\begin{lstlisting}") == tex.count("\\end{lstlisting}") == 4
    for title in re.findall(r"^\\title\{(.*)\}$", tex, re.MULTILINE):
        check_latex(title)
    markdown = written(shared_database, job)
    fences = re.findall(r"^`{3,}", markdown, re.MULTILINE)
    assert set(fences) == {"```"}
    assert len(fences) % 2 == 0
    assert "\x1b" not in page + tex + markdown
    assert "\u202e" not in page + tex + markdown


def test_schedules_grids_and_clipping_are_part_of_the_protocol(shared_database: Database) -> None:
    entry = {
        "label": "all",
        "kind": "momentum",
        "lr": [0.01, 0.02],
        "momentum": {"from": 0.5, "to": 0.9, "num": 3},
        "clip_norm": 1.0,
        "schedule": {"kind": "exponential", "factor": 0.9},
    }
    text = written(shared_database, trained(shared_database, {**RATES, "optimizers": [entry], "epochs": 4}))
    assert "lr in \\{0.01, 0.02\\}" in text.replace("{", "\\{").replace("}", "\\}")
    assert "momentum 3 values from 0.5 to 0.9 evenly spaced; clip\\_norm 1; schedule exponential (factor 0.9)" in text


def test_the_protocol_of_a_job_that_decides_states_its_seeds_margin_and_confidence_sequence(database: Database) -> None:
    key = deciding.post(database, deciding.TUNED)
    deciding.train(database, key)
    job = deciding.job_of(database, key)
    assert job.decision is not None
    later = job.decision["seeds_used"]
    text = plain(written(database, job.id), "md")
    assert f"All labels have the same {8 + later} seeds (seeds 0 to {7 + later})." in text
    assert (
        "Seeds were added in batches of 8 after the first 8 seeds, up to 100, until every label had a verdict" in text
    )
    assert "The first 8 seeds chose one setting of each label" in text
    assert f"{later} later seeds trained the chosen settings only, and judge them." in text
    assert "compared with slow by a confidence sequence" in text
    assert "inside ±5 % of the baseline's mean" in text
    assert "wang2025" in text
    for wrong in ("even positions", "Student's intervals", "shaffer1986", "mogstad2024"):
        assert wrong not in text
