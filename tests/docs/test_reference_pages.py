"""The pages in docs/reference are up to date and complete."""

import inspect
import re
from pathlib import Path

import pytest
import pytorch_optimizer
import torch

from docs.generate.installed import tried
from docs.generate.pages import pages
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.optimizers import OPTIMIZERS
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES
from service.spec.surfaces import SURFACES

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return pages()


@pytest.mark.slow
def test_the_reference_is_up_to_date(written: dict[str, str]) -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert sorted(on_disk) == sorted(written), "write it anew: make reference"
    stale = [name for name, text in written.items() if on_disk[name] != text]
    assert stale == [], "write it anew: make reference"


def test_the_reference_is_complete(written: dict[str, str]) -> None:
    def rows(name: str) -> set[str]:
        return set(re.findall(r"^\| `([^`]+)` \|", written[name], re.MULTILINE))

    def headings(name: str) -> set[str]:
        return set(re.findall(r"^###? (.+)$", written[name], re.MULTILINE))

    assert set(JobSpec.model_fields) <= rows("job-spec.md")
    assert {f"RAVINE_{name.upper()}" for name in Settings.model_fields} == rows("settings.md")
    assert {"GET /v1/jobs", "POST /v1/jobs", "GET /v1/runs/{run}/metrics", "JobAnswer"} <= headings("http-api.md")
    assert set(SURFACES) <= headings("problems.md")
    for page, members in (("problems.md", PROBLEMS), ("optimizers.md", OPTIMIZERS), ("schedules.md", SCHEDULES)):
        for member in members:
            assert f"`{member.formula}`" in written[page]
            assert member.reference in written[page]
            fields = {field.alias or name for name, field in member.model_fields.items()} - {"kind"}
            assert fields <= rows(page), member


def test_every_optimizer_of_the_package_is_tried_as_a_kind() -> None:
    found = tried()
    classes = {name for name, one in vars(pytorch_optimizer).items() if is_optimizer(one)}
    assert set(found) == classes
    assert len(classes) > 100
    # A matrix of all runs must not change them: these divide by norms, or by means over rows and columns.
    assert {found[name] for name in ("Lion", "AdaBelief", "Yogi", "Tiger")} == {"elementwise"}
    assert {found[name] for name in ("Lamb", "LARS", "AdaNorm", "SOAP", "CAME", "NovoGrad")} == {"run by run"}
    reasons = {
        "LBFGS": "closure", "SophiaH": "step fails", "Kron": "random numbers", "DASH": "random numbers",
        "QHAdam": "state_dict", "ScheduleFreeAdamW": "train and eval", "SAM": "no argument lr",
        "AdaFactor": "learning rate has no effect",
    }  # fmt: skip
    for name, reason in reasons.items():
        assert found[name].startswith("no: ")
        assert reason in found[name]


def is_optimizer(one: object) -> bool:
    return inspect.isclass(one) and issubclass(one, torch.optim.Optimizer)


def test_every_link_of_the_reference_resolves(written: dict[str, str]) -> None:
    anchors = {
        name: {"", *(re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in _titles(text))}
        for name, text in written.items()
    }
    links = [link for text in written.values() for link in re.findall(r"\]\(([^)]*)\)", text)]
    assert len(links) > 100
    for name, text in written.items():
        for page, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
            assert anchor in anchors[page or name], f"{name}: {page}#{anchor}"


def _titles(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)
