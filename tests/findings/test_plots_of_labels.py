"""Plots of compared labels over HTTP: what they claim, the order of labels, bounds, targets and labels with markup."""

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from service.findings.plots.kinds import Kind
from tests.completed import run_job
from tests.servers import Stack

pytestmark = pytest.mark.databases("sqlite")

OF_LABELS = ("comparison", "ranks", "targets")
SPEC: dict[str, Any] = {
    "name": "three rates",
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
    "optimizers": [
        {"label": "slow", "kind": "sgd", "lr": 0.0005},
        {"label": "fast", "kind": "sgd", "lr": 0.02},
        {"label": "middle", "kind": "sgd", "lr": 0.005},
    ],
    "seeds": {"first": 0, "count": 8},
    "epochs": 60,
    "target_loss": 1.0,
}
MARKUP = r"$\frac$ <b>&amp; #1</b> $x_2$"


@pytest.fixture(scope="module")
def job(stack: Stack) -> str:
    """The job of these tests, submitted once on each kind of database."""
    with stack.client() as client:
        return run_job(client, SPEC)


def drawn(client: httpx.Client, job: str, kind: str, **query: Any) -> ElementTree.Element:
    answer = client.get(f"/v1/jobs/{job}/plot.svg", params={"kind": kind, **query}).raise_for_status()
    return ElementTree.fromstring(answer.content)


def described(picture: ElementTree.Element) -> str:
    """Give the alternative text."""
    return str(picture.findtext("{*}desc"))


def texts(picture: ElementTree.Element, *, bold: bool = False) -> list[str]:
    """List the texts in the picture, or only the bold ones."""
    found = picture.iter("{http://www.w3.org/2000/svg}text")
    chosen = [one for one in found if not bold or "font-weight: 700" in one.get("style", "")]
    return ["".join(one.itertext()).strip() for one in chosen]


def caption(picture: ElementTree.Element) -> str:
    """Give the title and the caption, whose lines are the first texts that are sentences."""
    return " ".join(text.replace("\xa0", " ") for text in texts(picture))


def comparison(client: httpx.Client, job: str, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/jobs/{job}/comparison", params=query).raise_for_status().json()
    return found


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", OF_LABELS)
def test_caption_and_alternative_text_hold_the_verdict(client: httpx.Client, job: str, kind: str) -> None:
    picture, found = drawn(client, job, kind), comparison(client, job)
    assert found["best"] == ["fast"]
    assert described(picture).startswith(found["verdict"])
    assert found["verdict"] in caption(picture)
    assert "Criterion: final loss; 8 seeds; confidence 95 %." in caption(picture)


@pytest.mark.parametrize("kind", ["comparison", "ranks"])
def test_labels_stand_best_mean_first_and_only_those_that_may_be_best_are_bold(
    client: httpx.Client, job: str, kind: str
) -> None:
    picture, found = drawn(client, job, kind), comparison(client, job)
    order = [rank["label"] for rank in found["ranks"]]
    labels = [text for text in texts(picture) if text in order]
    assert labels == order == ["fast", "middle", "slow"]
    assert [text for text in texts(picture, bold=True) if text in order] == found["best"]
    assert "● may be best, ○ is not best." in caption(picture)


def test_ranks_have_the_intervals_of_the_comparison(client: httpx.Client, job: str) -> None:
    ranks = comparison(client, job)["ranks"]
    assert [(rank["low"], rank["high"]) for rank in ranks] == [(1, 1), (2, 2), (3, 3)]
    assert "fast 1; middle 2; slow 3." in described(drawn(client, job, "ranks"))


def test_ranks_of_one_seed_are_whole_ranges_without_a_claim(client: httpx.Client) -> None:
    job = run_job(client, {**SPEC, "seeds": [3]})
    picture = drawn(client, job, "ranks")
    assert "fast 1–3; middle 1–3; slow 1–3." in described(picture)
    assert "Too few seeds for ranks (fewer than 6)" in caption(picture)
    for kind in ("ranks", "comparison"):
        assert "may be best" not in caption(drawn(client, job, kind))
        assert not {"fast", "middle", "slow"} & set(texts(drawn(client, job, kind), bold=True))


def test_speed_ups_where_one_label_misses_the_target_are_bounds(client: httpx.Client, job: str) -> None:
    settings = {one["label"]: one["settings"][0] for one in comparison(client, job, baseline="fast")["labels"]}
    bound = settings["slow"]["against_baseline"]["speed_up"]["at_most"]
    assert f"slow at most {bound:.4g}" in described(drawn(client, job, "comparison", baseline="fast"))
    settings = {one["label"]: one["settings"][0] for one in comparison(client, job, baseline="slow")["labels"]}
    bound = settings["fast"]["against_baseline"]["speed_up"]["at_least"]
    assert f"fast at least {bound:.4g}" in described(drawn(client, job, "comparison", baseline="slow"))


def test_the_picture_over_all_targets_has_the_numbers_of_the_comparison(client: httpx.Client, job: str) -> None:
    words, found = described(drawn(client, job, "targets")), comparison(client, job)
    steps = [{one["label"]: one for one in step["labels"]} | {"loss": step["loss"]} for step in found["targets"]]
    for label in ("fast", "middle", "slow"):
        reached = [step for step in steps if step[label]["share_reached"] > 0]
        if not reached:
            assert f"{label} none" in words
            continue
        last = reached[-1]
        epochs, share = last[label]["expected_epochs"], last[label]["share_reached"]
        assert f"{label} {last['loss']:.3g} ({epochs:.4g} epochs, {100 * share:.3g} % of the runs)" in words
    assert "target 1" in texts(drawn(client, job, "targets"))


@pytest.mark.slow
def test_the_criterion_and_the_choice_of_settings_follow_the_query(client: httpx.Client) -> None:
    grid = {"label": "grid", "kind": "sgd", "lr": [0.0005, 0.02]}
    job = run_job(client, {**SPEC, "optimizers": [grid, *SPEC["optimizers"][2:]]})
    assert "grid 1–2; middle 1–2." in described(drawn(client, job, "ranks"))
    words = described(drawn(client, job, "ranks", tuned=False, criterion="best_loss"))
    assert "by best loss: grid lr=0.02 1; " in words
    assert "by epochs to loss 9:" in described(drawn(client, job, "ranks", criterion="epochs_to_target", target=9))
    medians = described(drawn(client, job, "comparison", tuned=False, criterion="loss_area"))
    assert "Medians of loss area" in medians


def test_runs_of_seeds_with_equal_histories_are_drawn_once(client: httpx.Client) -> None:
    exact = {"kind": "surface", "name": "ravine", "starts": [[1.0, 1.0], [2.0, 1.0]]}
    job = run_job(client, {**SPEC, "problem": exact})
    for kind in ("loss", "paths"):
        assert " of 2 runs" in described(drawn(client, job, kind))
    assert "Too few seeds for ranks" in described(drawn(client, job, "ranks"))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", Kind)
def test_markup_in_labels_and_names_stays_text(client: httpx.Client, kind: str) -> None:
    noisy = {"label": MARKUP, "kind": "momentum", "lr": [0.01, 0.02], "momentum": [0.5, 0.8]}
    spec = {**SPEC, "name": MARKUP, "optimizers": [noisy, SPEC["optimizers"][0]], "seeds": [0, 1], "epochs": 5}
    job = run_job(client, spec)
    picture = drawn(client, job, kind)
    assert MARKUP in texts(picture)
    assert MARKUP in described(picture)
    assert client.get(f"/v1/jobs/{job}/plot.png", params={"kind": kind}).status_code == 200
