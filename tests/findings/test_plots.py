"""Plots over HTTP: every kind, parameters, alternative texts and caching."""

import re
import struct
from concurrent.futures import ThreadPoolExecutor
from email.header import decode_header
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from service.findings.plots.kinds import Kind
from tests.completed import run_job
from tests.servers import Stack, wait_for_job

pytestmark = pytest.mark.databases("sqlite")

SPEC: dict[str, Any] = {
    "name": "Ravine <β> & co",
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
    "optimizers": [
        {"label": "sgd", "kind": "sgd", "lr": 0.02},
        {"label": "too fast", "kind": "sgd", "lr": 3.0},
        {"label": "momentum", "kind": "momentum", "lr": [0.005, 0.01], "momentum": [0.5, 0.9]},
    ],
    "seeds": {"first": 0, "count": 6},
    "epochs": 60,
    "target_loss": 1.0,
}


@pytest.fixture(scope="module")
def job(stack: Stack) -> str:
    """The job of these tests, submitted once on each kind of database."""
    with stack.client() as client:
        return run_job(client, SPEC)


def plot(client: httpx.Client, job: str, form: str = "svg", **query: Any) -> httpx.Response:
    return client.get(f"/v1/jobs/{job}/plot.{form}", params=query)


def words(answer: httpx.Response) -> str:
    """The alternative text in the header, a MIME header as RFC 2047 has it."""
    return "".join(
        part if isinstance(part, str) else part.decode(charset or "ascii")
        for part, charset in decode_header(answer.headers["Content-Description"])
    )


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_an_svg_with_an_alternative_text(client: httpx.Client, job: str, kind: str) -> None:
    answer = plot(client, job, kind=kind).raise_for_status()
    assert answer.headers["Content-Type"] == "image/svg+xml"
    root = ElementTree.fromstring(answer.content)
    svg = "{http://www.w3.org/2000/svg}"
    title, description = root.find(f"{svg}title"), root.find(f"{svg}desc")
    assert title is not None
    assert title.text == SPEC["name"]
    assert description is not None
    assert description.text is not None
    assert root.get("role") == "img"
    # A header has no line breaks; the words are the same.
    assert words(answer).split()[:-1] == description.text[:600].split()[:-1]
    assert "momentum" in description.text.lower()
    # Opened as a document it runs and loads nothing.
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(rb"<script|href=\"http", answer.content)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", Kind)
def test_a_png_has_the_requested_size(client: httpx.Client, job: str, kind: str) -> None:
    dark = kind in {"ranks", "heatmap"}
    answer = plot(client, job, "png", kind=kind, width=400, height=300, density=2, dark=dark).raise_for_status()
    assert answer.headers["Content-Type"] == "image/png"
    assert struct.unpack(">II", answer.content[16:24]) == (800, 600)
    assert b"Description" in answer.content[:4096]


def test_the_alternative_text_has_the_numbers_of_the_api(client: httpx.Client, job: str) -> None:
    runs = client.get(f"/v1/jobs/{job}/runs", params={"label": "sgd", "limit": 500}).json()["items"]
    losses = sorted(run["final_loss"] for run in runs)
    median = (losses[2] + losses[3]) / 2
    alternative_text = words(plot(client, job, kind="loss"))
    found = re.search(r"(?:sgd|SGD) ends at ([^;]+);", alternative_text)
    assert found is not None
    assert float(found[1]) == pytest.approx(median, rel=1e-3)
    assert "too fast has diverged" in alternative_text
    assert "6 of too fast" in alternative_text


def test_an_unchanged_plot_is_answered_304_and_another_size_is_not(client: httpx.Client, job: str) -> None:
    first = plot(client, job, kind="loss").raise_for_status()
    again = client.get(first.request.url, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert client.get(first.request.url).content == first.content
    other = plot(client, job, kind="loss", width=640).raise_for_status()
    assert other.headers["ETag"] != first.headers["ETag"]


def test_a_plot_is_drawn_again_after_progress_of_the_job(client: httpx.Client) -> None:
    new = client.post("/v1/jobs", json=SPEC).raise_for_status().json()
    early = plot(client, new["id"])
    wait_for_job(client, new["id"])
    late = plot(client, new["id"]).raise_for_status()
    assert early.headers.get("ETag") != late.headers["ETag"]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ({"kind": "pie"}, "'loss', 'paths', 'heatmap', 'comparison', 'ranks', 'targets', 'tuning' or 'importance'"),
        ({"kind": "loss", "width": 20_000}, "less than or equal to 2400"),
        ({"kind": "loss", "x": "lr"}, "labels, field, band, log"),
        ({"kind": "loss", "labels": "nobody"}, "sgd, too fast, momentum"),
        ({"kind": "loss", "field": "accuracy"}, "loss, train_loss"),
        ({"kind": "heatmap", "x": "beta1"}, "lr, momentum"),
        ({"kind": "heatmap", "label": "sgd"}, "there are momentum"),
        ({"kind": "heatmap", "x": "lr", "y": "lr"}, "must differ"),
        ({"kind": "comparison", "baseline": "nobody"}, "sgd, too fast, momentum"),
        ({"kind": "comparison", "target": "NaN"}, "finite number"),
        ({"kind": "ranks", "criterion": "test_loss"}, "this problem has no test_loss"),
        ({"kind": "ranks", "baseline": "sgd"}, "target, criterion, tuned"),
        ({"kind": "loss", "criterion": "final_loss"}, "labels, field, band, log"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_invalid_parameters_are_rejected_with_the_valid_ones(
    client: httpx.Client, job: str, query: dict[str, Any], allowed: str
) -> None:
    answer = plot(client, job, **query)
    assert answer.status_code == 422
    assert allowed in answer.json()["detail"]
    assert answer.json()["errors"][0]["loc"][0] == "query"


def test_a_network_has_no_paths_and_without_a_grid_there_is_no_heat_map(client: httpx.Client) -> None:
    flipnet = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 2}
    job = run_job(client, flipnet)
    assert "flipnet has 31 parameters" in plot(client, job, kind="paths").json()["detail"]
    assert "two hyper-parameters" in plot(client, job, kind="heatmap").json()["detail"]
    assert plot(client, job, kind="loss").status_code == 200
    assert plot(client, "0" * 36, kind="loss").status_code == 404


def test_a_heat_map_counts_epochs_to_the_target(client: httpx.Client, job: str) -> None:
    histories = client.get(
        f"/v1/jobs/{job}/metrics", params={"labels": "momentum lr=0.01 momentum=0.5", "fields": "loss"}
    ).json()["runs"]
    first = sorted(next(e for e, loss in zip(h["epoch"], h["loss"], strict=True) if loss <= 1.0) for h in histories)
    alternative_text = words(plot(client, job, kind="heatmap", value="epochs_to_target"))
    best = re.search(r"The best is ([\d.]+) at lr 0.01", alternative_text)
    assert best is not None
    others = (first[2] + first[3]) / 2
    assert float(best[1]) <= others


@pytest.mark.slow
def test_twelve_requests_at_once_are_answered_with_a_picture_or_503(client: httpx.Client, job: str) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda width: plot(client, job, width=500 + width), range(12)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert sum(answer.status_code == 200 for answer in answers) >= 2
