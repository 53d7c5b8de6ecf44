"""Plots of jobs with labels that break files, without finite losses, with losses below 0, and with a single point."""

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from service.database.connection import Database
from service.findings.plots.kinds import Kind
from tests.completed import run_job
from tests.stored import Stored

pytestmark = pytest.mark.databases("postgresql")

AWKWARD = [
    "two\nlines",
    "bell\x07\x1b[31m",
    "\ufffe\uffff",
    "损失 🎉",
    "x" * 60 + "A" + "y" * 39,
    "x" * 60 + "B" + "y" * 39,
]
GRID = {"lr": [0.01, 0.02], "momentum": [0.1, 0.2]}
ONE = [{"label": "only", "kind": "momentum", **GRID}]


def drawn(client: httpx.Client, job: str, kind: str, **query: Any) -> ElementTree.Element:
    png = client.get(f"/v1/jobs/{job}/plot.png", params={"kind": kind, **query})
    assert png.status_code == 200, png.text
    answer = client.get(f"/v1/jobs/{job}/plot.svg", params={"kind": kind, **query}).raise_for_status()
    return ElementTree.fromstring(answer.content)


def texts(picture: ElementTree.Element) -> list[str]:
    return ["".join(one.itertext()).strip() for one in picture.iter("{http://www.w3.org/2000/svg}text")]


def described(picture: ElementTree.Element) -> str:
    return str(picture.findtext("{*}desc"))


def stored(database: Database, **changes: Any) -> str:
    job = Stored(database, **changes)
    job.finish()
    return job.id


@pytest.mark.slow
def test_every_picture_of_awkward_labels_is_well_formed_and_shows_each_label(client: httpx.Client) -> None:
    spec = {
        "name": "a\nb\x1b\ufffe",
        "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
        "optimizers": [
            {"label": AWKWARD[0], "kind": "momentum", **GRID},
            *({"label": label, "kind": "sgd", "lr": 0.01} for label in AWKWARD[1:]),
        ],
        "seeds": [0, 1],
        "epochs": 5,
    }
    job = run_job(client, spec)
    for kind in Kind:
        picture = drawn(client, job, kind)
        assert "a↵b⟨001B⟩⟨FFFE⟩" in texts(picture)
        if kind not in (Kind.HEATMAP, Kind.TUNING, Kind.IMPORTANCE):
            shown = " ".join(texts(picture))
            assert {"bell⟨0007⟩⟨001B⟩[31m", "⟨FFFE⟩⟨FFFF⟩", "损失 🎉"} <= set(texts(picture)), kind
            assert "xA" in shown, kind
            assert "xB" in shown, kind


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", Kind)
def test_a_job_that_is_not_a_number_from_its_start_has_a_picture(client: httpx.Client, kind: str) -> None:
    spec = {
        "problem": {"kind": "surface", "expression": "log(x) + y**2", "start": [-1.0, 1.0]},
        "optimizers": ONE,
        "seeds": [0],
        "epochs": 5,
    }
    job = run_job(client, spec)
    if kind == Kind.TARGETS:
        answer = client.get(f"/v1/jobs/{job}/plot.svg", params={"kind": kind})
        assert answer.status_code == 422
        assert "no loss is known that the runs of this job could reach" in answer.text
        return
    picture = drawn(client, job, kind)
    if kind == Kind.LOSS:
        assert "No median is finite: the runs diverged at the start." in texts(picture)
        assert "has diverged" in described(picture)


@pytest.mark.slow
def test_a_logarithmic_scale_of_losses_below_0_has_a_frame_and_a_sentence(
    client: httpx.Client, stack_database: Database
) -> None:
    below = stored(stack_database, optimizers=ONE, loss=lambda run, epoch: -1.0 - epoch)
    both = stored(stack_database, optimizers=ONE, loss=lambda run, epoch: 5.0 - epoch)
    for log in (True, None):
        picture = drawn(client, below, "loss", **({"log": True} if log else {}))
        assert ("The scale is linear" in described(picture)) == bool(log)
        assert {"−4", "−8"} <= set(texts(picture))
    assert "are drawn at the lower edge" in described(drawn(client, both, "loss", log=True))
    assert "are drawn at the lower edge" not in described(drawn(client, both, "loss"))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("loss", [1e308, 5e-324, 0.0])
def test_the_largest_and_smallest_losses_have_pictures(
    client: httpx.Client, stack_database: Database, loss: float
) -> None:
    job = stored(stack_database, optimizers=ONE, loss=lambda run, epoch: loss * (-1) ** epoch)
    for log in (True, False):
        drawn(client, job, "loss", log=log)
        drawn(client, job, "targets", log=log)


def test_a_lone_point_has_a_marker(client: httpx.Client, stack_database: Database) -> None:
    lone = [{"label": "lone", "kind": "sgd", "lr": 0.01}]
    job = stored(
        stack_database, optimizers=lone, seeds=[0], loss=lambda run, epoch: 2.0 if epoch == 0 else float("inf")
    )
    line = [{"label": "line", "kind": "sgd", "lr": 0.01}]
    whole = stored(stack_database, optimizers=line, seeds=[0])
    assert markers(drawn(client, job, "loss")) == markers(drawn(client, whole, "loss")) + 1


def markers(picture: ElementTree.Element) -> int:
    """Count the markers that are no ticks of an axis."""
    svg = "{http://www.w3.org/2000/svg}"
    axes = [one for one in picture.iter(f"{svg}g") if one.get("id", "").startswith("line2d")]
    ticks = [
        line
        for axis in picture.iter(f"{svg}g")
        if axis.get("id", "").startswith("matplotlib.axis")
        for line in axis.iter(f"{svg}g")
        if line.get("id", "").startswith("line2d")
    ]
    return sum(1 for line in axes if line not in ticks and line.find(f".//{svg}use") is not None)
