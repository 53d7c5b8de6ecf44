"""The comparison over HTTP, on both databases: statistics, queries, warnings, and errors."""

import httpx
import numpy as np
import pytest
import scipy.stats

from tests.completed import run_job
from tests.findings.compared import codes, compare, settings
from tests.servers import Stack

SEEDS = 12
FLIPNET = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "sgd", "lr": 0.05}, {"kind": "momentum", "lr": 0.05}],
    "seeds": {"first": 0, "count": SEEDS},
    "epochs": 10,
}


@pytest.fixture(scope="module")
def flipnet(stack: Stack) -> str:
    with stack.client() as client:
        return run_job(client, FLIPNET)


@pytest.fixture(scope="module")
def losses(stack: Stack, flipnet: str) -> dict[str, np.ndarray]:
    """Loss curves [seeds, epochs] of both labels."""
    with stack.client() as client:
        histories = client.get(f"/v1/jobs/{flipnet}/metrics", params={"limit": 500}).json()["runs"]
    return {
        label: np.array([run["loss"] for run in histories if run["label"] == label]) for label in ("sgd", "momentum")
    }


@pytest.mark.slow
def test_summaries_of_a_label_equal_those_of_scipy(
    client: httpx.Client, flipnet: str, losses: dict[str, np.ndarray]
) -> None:
    comparison = compare(client, flipnet)
    target = comparison["target"]["loss"]
    for label, loss in losses.items():
        found = settings(comparison)[label]
        assert (found["runs"], found["diverged"]) == (SEEDS, 0)
        for name, values in {
            "final_loss": loss[:, -1],
            "best_loss": loss.min(axis=1),
            "loss_area": np.trapezoid(loss, axis=1) / 10,
        }.items():
            assert found[name]["num"] == SEEDS
            assert found[name]["median"]["value"] == pytest.approx(np.median(values), rel=1e-12)
            assert found[name]["mean"]["value"] == pytest.approx(values.mean(), rel=1e-12)
            assert found[name]["iqm"]["value"] == pytest.approx(scipy.stats.trim_mean(values, 0.25), rel=1e-12)
            for one in (found[name][statistic] for statistic in ("median", "mean", "iqm")):
                assert one["low"] <= one["value"] <= one["high"]
        below = loss <= target
        epochs = np.where(below.any(axis=1), below.argmax(axis=1), np.inf)
        settles = np.array([np.flatnonzero(~row)[-1] + 1 if not row.all() else 0 for row in below]).astype(float)
        assert found["share_reached"] == np.isfinite(epochs).mean()
        assert found["share_settled"] == (settles <= 10).mean()
        hits = np.isfinite(epochs).sum()
        assert found["expected_epochs"] == pytest.approx(np.minimum(epochs, 10).sum() / hits)


def test_a_pair_has_students_interval_of_the_log_losses_capped_at_the_untrained_start(
    client: httpx.Client, flipnet: str, losses: dict[str, np.ndarray]
) -> None:
    comparison = compare(client, flipnet)
    untrained = np.median(losses["sgd"][:, 0])
    assert comparison["criterion"] == {
        "name": "final_loss", "scale": "log", "declared": False, "larger_is_better": False, "least": 0.0,
        "untrained": pytest.approx(untrained),
    }  # fmt: skip
    logs = {label: np.log(np.minimum(loss[:, -1], untrained)) for label, loss in losses.items()}
    (pair,) = comparison["pairs"]
    assert (pair["a"], pair["b"], pair["seeds"], comparison["replicates"]) == ("sgd", "momentum", SEEDS, SEEDS)
    test = scipy.stats.ttest_rel(logs["sgd"], logs["momentum"])
    low, high = test.confidence_interval(0.95)
    assert (pair["low"], pair["high"], pair["p"]) == pytest.approx((low, high, test.pvalue))
    assert pair["ratio"] == pytest.approx(np.exp(pair["difference"]))
    better = (logs["sgd"] < logs["momentum"]).mean()
    assert pair["probability_better"]["value"] == pytest.approx(better)
    against = settings(comparison)["momentum"]["against_baseline"]
    assert against["difference"] == pytest.approx(-pair["difference"])
    assert (against["low"], against["high"]) == pytest.approx((-pair["high"], -pair["low"]))
    assert against["probability_better"]["value"] == pytest.approx(1 - better)


def test_an_unchanged_comparison_of_an_ended_job_is_answered_304(client: httpx.Client, flipnet: str) -> None:
    here = f"/v1/jobs/{flipnet}/comparison"
    answer = client.get(here)
    tag = answer.headers["etag"]
    again = client.get(here, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(here, params={"criterion": "loss_area"}, headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_the_target_is_that_of_the_query_else_of_the_spec_else_one_that_counts_labels_alike(
    client: httpx.Client, flipnet: str, losses: dict[str, np.ndarray]
) -> None:
    given = compare(client, flipnet, target=1e-9)
    assert (given["target"]["loss"], given["target"]["source"]) == (1e-9, "query")
    assert "target_never_reached" in codes(given)
    assert settings(given)["sgd"]["epochs_to_target"]["median"]["value"] == "Infinity"
    assert settings(given)["momentum"]["against_baseline"]["speed_up"]["both_missed"] == SEEDS
    job_id = run_job(client, {**FLIPNET, "target_loss": 0.15, "epochs": 2})
    assert compare(client, job_id)["target"]["source"] == "spec"
    chosen = compare(client, flipnet)["target"]
    assert chosen["source"] == "all_labels"
    problems = {kind["kind"]: kind for kind in client.get("/v1/problems").json()["items"]}
    reached = [
        loss for loss in problems["flipnet"]["targets"]
        if min((of.min(axis=1) <= loss).mean() for of in losses.values()) >= 0.5
    ]  # fmt: skip
    assert chosen["loss"] == min(reached)
    assert compare(client, flipnet, baseline="momentum")["target"] == chosen


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("query", "place", "allowed"),
    [
        ({"baseline": "adam"}, "baseline", "sgd, momentum"),
        ({"target": "low"}, "target", "number"),
        ({"target": "nan"}, "target", "finite"),
        ({"tuned": "perhaps"}, "tuned", "boolean"),
        ({"criterion": "speed"}, "criterion", "final_loss"),
        ({"criterion": "test_accuracy"}, "criterion", "final_loss, best_loss, loss_area"),
        ({"base": "sgd"}, "base", "base"),
    ],
)
def test_bad_input_is_refused_with_its_place_and_what_is_allowed(
    client: httpx.Client, flipnet: str, query: dict[str, str], place: str, allowed: str
) -> None:
    answer = client.get(f"/v1/jobs/{flipnet}/comparison", params=query)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["loc"] == ["query", place]
    assert allowed in error["msg"]


def test_an_unknown_job_is_not_found(client: httpx.Client) -> None:
    assert client.get("/v1/jobs/0/comparison").status_code == 404


def test_a_comparison_on_the_ravine_has_paths_and_counts_one_seed(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [
            {"label": "along", "kind": "sgd", "lr": 0.04},
            {"label": "across", "kind": "sgd", "lr": 0.09},
            {"label": "out", "kind": "sgd", "lr": 1.0},
        ],
        "seeds": [1, 2, 3, 4, 5, 6],
        "epochs": 40,
    }
    found = compare(client, run_job(client, spec))
    assert {"seeds_change_nothing", "few_seeds"} <= codes(found)
    assert found["replicates"] == 1
    assert found["verdict"].endswith("One run each, nothing random: no margin of error. Draw starts at random.")
    along, across, out = (settings(found)[label] for label in ("along", "across", "out"))
    # w2 is multiplied by 1 − 20 lr: 0.2 keeps its sign, −0.8 changes it at every one of 40 updates.
    assert along["paths"]["sign_changes"] == [0, 0]
    assert across["paths"]["sign_changes"] == [0, 40]
    assert across["paths"]["overshoot"] == [0, pytest.approx(1.6)]
    assert along["paths"]["ended_in"] == {"0": 1}
    assert (out["diverged"], out["final_loss"]["median"]["value"]) == (1, "Infinity")
    assert out["paths"]["ended_in"] == {"none": 1}
    assert along["final_loss"]["median"]["low"] is None


def test_a_job_where_all_diverged_says_so(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"kind": "sgd", "lr": 1.0}, {"kind": "momentum", "lr": 1.0}],
        "epochs": 50,
    }
    found = compare(client, run_job(client, spec))
    assert {"all_diverged", "no_target"} <= codes(found)
    assert found["target"]["loss"] is None
    assert found["verdict"] == "Both diverged. Try learning rates below 1."


def test_clipping_in_most_epochs_is_a_warning(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"kind": "sgd", "lr": 0.01}, {"label": "clipped", "kind": "sgd", "lr": 0.01, "clip_norm": 0.1}],
        "epochs": 20,
    }
    (warning,) = (
        warning
        for warning in compare(client, run_job(client, spec))["warnings"]
        if warning["code"] == "clipping_active"
    )
    assert warning["sentence"].startswith("clipped ")
