"""The comparison over HTTP, on both databases: statistics, warnings, and errors of the query."""

from typing import Any

import httpx
import numpy as np
import pytest
import scipy.stats

from tests.servers import Stack, wait_for_job

SEEDS = 12
FLIPNET = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "sgd", "lr": 0.05}, {"kind": "momentum", "lr": 0.05}],
    "seeds": {"first": 0, "count": SEEDS},
    "epochs": 10,
}


def run_job(client: httpx.Client, spec: dict[str, Any]) -> str:
    answer = client.post("/v1/jobs", json=spec)
    assert answer.status_code == 202, answer.text
    assert wait_for_job(client, answer.json()["id"])["status"] == "completed"
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def flipnet(stack: Stack) -> str:
    with stack.client() as client:
        return run_job(client, FLIPNET)


def compare(client: httpx.Client, job_id: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/jobs/{job_id}/comparison", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def codes(comparison: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in comparison["warnings"]}


def settings(comparison: dict[str, Any]) -> dict[str, Any]:
    return {setting["label"]: setting for label in comparison["labels"] for setting in label["settings"]}


def test_every_statistic_equals_that_of_scipy_for_the_histories(client: httpx.Client, flipnet: str) -> None:
    comparison = compare(client, flipnet)
    histories = client.get(f"/v1/jobs/{flipnet}/metrics", params={"limit": 500}).json()["runs"]
    losses = {
        label: np.array([run["loss"] for run in histories if run["label"] == label]) for label in ("sgd", "momentum")
    }
    target = float(np.median(losses["sgd"][:, -1]))
    assert comparison["target"] == {"loss": pytest.approx(target), "source": "median_final_loss_of_baseline"}
    epochs = {}
    for label, loss in losses.items():
        found = settings(comparison)[label]
        assert (found["runs"], found["diverged"]) == (SEEDS, 0)
        for name, values in {
            "final_loss": loss[:, -1],
            "best_loss": loss.min(axis=1),
            "loss_area": np.trapezoid(loss, axis=1) / 10,
            "accuracy": np.array([run["accuracy"][-1] for run in histories if run["label"] == label]),
        }.items():
            assert found[name]["num"] == SEEDS
            assert found[name]["median"]["value"] == pytest.approx(np.median(values), rel=1e-12)
            assert found[name]["mean"]["value"] == pytest.approx(values.mean(), rel=1e-12)
            assert found[name]["iqm"]["value"] == pytest.approx(scipy.stats.trim_mean(values, 0.25), rel=1e-12)
            for statistic in ("median", "mean", "iqm"):
                assert (
                    found[name][statistic]["low"] <= found[name][statistic]["value"] <= found[name][statistic]["high"]
                )
        below = loss <= target
        epochs[label] = np.where(below.any(axis=1), below.argmax(axis=1), np.inf)
        settles = np.array([np.flatnonzero(~row)[-1] + 1 if not row.all() else 0 for row in below]).astype(float)
        assert found["share_reached"] == np.isfinite(epochs[label]).mean()
        assert found["share_settled"] == (settles <= 10).mean()
    against = settings(comparison)["momentum"]["against_baseline"]
    apart = losses["momentum"][:, -1] - losses["sgd"][:, -1]
    assert against["final_loss_difference"]["mean"]["value"] == pytest.approx(apart.mean(), rel=1e-9)
    assert against["wilcoxon_p"] == pytest.approx(scipy.stats.wilcoxon(apart, method="exact").pvalue)
    assert against["wilcoxon_p_holm"] == against["wilcoxon_p"]
    statistic = scipy.stats.mannwhitneyu(losses["sgd"][:, -1], losses["momentum"][:, -1]).statistic
    assert against["probability_of_improvement"]["value"] == pytest.approx(statistic / SEEDS**2)
    both = np.isfinite(epochs["sgd"]) & np.isfinite(epochs["momentum"])
    speed_up = against["speed_up"]
    assert speed_up["both"] == both.sum() > 0
    expected = scipy.stats.gmean(epochs["sgd"][both] / epochs["momentum"][both])
    assert speed_up["ratio"]["value"] == pytest.approx(expected)
    assert comparison["partial"] is False
    assert "momentum" in comparison["verdict"]
    assert "sgd" in comparison["verdict"]


def test_an_unchanged_comparison_of_an_ended_job_is_answered_304(client: httpx.Client, flipnet: str) -> None:
    here = f"/v1/jobs/{flipnet}/comparison"
    answer = client.get(here)
    tag = answer.headers["etag"]
    again = client.get(here, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(here, params={"target": 0.2}, headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_the_target_is_that_of_the_query_else_that_of_the_spec(client: httpx.Client, flipnet: str) -> None:
    given = compare(client, flipnet, target=1e-9)
    assert given["target"] == {"loss": 1e-9, "source": "query"}
    assert "target_never_reached" in codes(given)
    assert settings(given)["sgd"]["epochs_to_target"]["median"]["value"] == "Infinity"
    assert settings(given)["momentum"]["against_baseline"]["speed_up"]["neither"] == SEEDS
    job_id = run_job(client, {**FLIPNET, "target_loss": 0.15, "epochs": 2})
    assert compare(client, job_id)["target"] == {"loss": 0.15, "source": "spec"}


@pytest.mark.parametrize(
    ("query", "place", "allowed"),
    [
        ({"baseline": "adam"}, "baseline", "sgd, momentum"),
        ({"target": "low"}, "target", "number"),
        ({"target": "nan"}, "target", "finite"),
        ({"tuned": "perhaps"}, "tuned", "boolean"),
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


def test_the_baseline_may_be_any_label(client: httpx.Client, flipnet: str) -> None:
    found = compare(client, flipnet, baseline="momentum")
    assert found["baseline"] == "momentum"
    assert settings(found)["momentum"]["against_baseline"] is None
    ratio = settings(found)["sgd"]["against_baseline"]["speed_up"]["ratio"]
    forth = settings(compare(client, flipnet, target=found["target"]["loss"]))["momentum"]["against_baseline"]
    assert 1 / ratio["value"] == pytest.approx(forth["speed_up"]["ratio"]["value"])


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
    assert found["pairs"] == 1
    along, across, out = (settings(found)[label] for label in ("along", "across", "out"))
    # w2 is multiplied by 1 − 20 lr: 0.2 keeps its sign, −0.8 changes it at every one of 40 updates.
    assert along["paths"]["sign_changes"] == [0, 0]
    assert across["paths"]["sign_changes"] == [0, 40]
    assert across["paths"]["overshoot"] == [0, pytest.approx(1.6)]
    assert along["paths"]["ended_in"] == {"0": 1}
    assert (out["diverged"], out["final_loss"]["median"]["value"]) == (1, "Infinity")
    assert out["paths"]["ended_in"] == {"none": 1}
    assert along["final_loss"]["median"]["low"] is None
    assert out["rank"] == 3


def test_a_job_where_all_diverged_says_so(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"kind": "sgd", "lr": 1.0}, {"kind": "momentum", "lr": 1.0}],
        "epochs": 50,
    }
    found = compare(client, run_job(client, spec))
    assert {"all_diverged", "no_target"} <= codes(found)
    assert found["target"]["loss"] is None
    assert "diverged" in found["verdict"]


def test_a_large_grid_shows_the_best_setting_of_each_label_and_warns(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine", "noise": 1.0},
        "optimizers": [
            {"kind": "sgd", "lr": {"from": 1e-4, "to": 1e-2, "num": 21, "scale": "log"}},
            {"kind": "momentum", "lr": [0.001, 0.01]},
        ],
        "seeds": {"first": 0, "count": 8},
        "epochs": 30,
    }
    job_id = run_job(client, spec)
    found = compare(client, job_id, tuned=True)
    assert {"unequal_grids", "chosen_on_judged_data", "lr_at_grid_edge"} <= codes(found)
    label = found["labels"][0]
    assert (label["num_settings"], label["represented_by"]) == (21, "best_median_final_loss")
    finals: dict[float, list[float]] = {}
    for run in client.get(f"/v1/jobs/{job_id}/runs", params={"label": "sgd", "limit": 500}).json()["items"]:
        finals.setdefault(run["optimizer"]["lr"], []).append(run["final_loss"])
    best = min(finals, key=lambda lr: float(np.median(finals[lr])))
    assert label["settings"][0]["optimizer"]["lr"] == best
    tuned = found["tuned"]
    assert (tuned["chosen_on_pairs"], tuned["judged_on_pairs"]) == (4, 4)
    chosen = min(finals, key=lambda lr: float(np.median(finals[lr][::2])))
    assert tuned["labels"][0]["optimizer"]["lr"] == chosen
    assert tuned["labels"][0]["final_loss"]["median"]["value"] == pytest.approx(np.median(finals[chosen][1::2]))
    curve = tuned["labels"][0]["expected_best"]["loss"]
    assert curve == sorted(curve, reverse=True)
    assert curve[0] == pytest.approx(np.mean([np.median(values[::2]) for values in finals.values()]))
    rates = tuned["labels"][0]["learning_rates"]
    assert rates["low"] <= rates["best"] == chosen <= rates["high"]


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
