"""What a comparison concludes: seeds are the evidence, and no conclusion depends on copies, order or choice."""

from typing import Any

import httpx
import numpy as np
import pytest

from tests.completed import run_job
from tests.findings.compared import codes, compare, settings

pytestmark = pytest.mark.databases("postgresql")

STARTS = [[5 * (at % 11 - 5) / 5, 2 * (at % 7 - 3) / 3 + 0.1] for at in range(50)]
NOISY = {
    "problem": {"kind": "surface", "name": "ravine", "noise": 1.0, "starts": STARTS},
    "optimizers": [{"kind": "sgd", "lr": 0.05}, {"kind": "momentum", "lr": 0.012, "momentum": 0.77}],
    "seeds": [0, 1],
    "epochs": 300,
    "record_every": 50,
}


def noisy(**changed: Any) -> dict[str, Any]:
    """Give the job with changes, those of the problem under their own names."""
    problem = {**NOISY["problem"], **{key: changed.pop(key) for key in ("starts", "start") if key in changed}}  # type: ignore[dict-item]
    if "start" in problem:
        del problem["starts"]
    return {**NOISY, "problem": problem, **changed}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("seeds", [[0, 1], [2, 3]])
def test_starts_are_no_evidence(client: httpx.Client, seeds: list[int]) -> None:
    found = compare(client, run_job(client, noisy(seeds=seeds)))
    assert found["replicates"] == 2
    (pair,) = found["pairs"]
    assert (pair["low"], pair["high"], pair["p"]) == (None, None, None)
    assert found["best"] == [rank["label"] for rank in found["ranks"]]
    assert found["verdict"].endswith("too few for a margin of error. Use at least 6 seeds.")
    over = pair["over_starts"]
    assert over["better"] + over["worse"] + over["equal"] == 50


@pytest.mark.slow
def test_copied_starts_change_no_number(client: httpx.Client) -> None:
    seeds = {"first": 0, "count": 8}
    alone = compare(client, run_job(client, noisy(start=[5, 2], seeds=seeds)))
    copied = compare(client, run_job(client, noisy(starts=[[5, 2]] * 25, seeds=seeds)))
    grid = {"from": 5, "to": 5, "num": 5}
    same = compare(client, run_job(client, noisy(starts={"x": grid, "y": {"from": 2, "to": 2, "num": 3}}, seeds=seeds)))
    for name in ("difference", "low", "high", "p", "median_difference"):
        (one,), (many,), (gridded,) = ([pair[name] for pair in of["pairs"]] for of in (alone, copied, same))
        assert many == pytest.approx(one, rel=1e-9)
        assert gridded == pytest.approx(one, rel=1e-9)
    assert copied["replicates"] == same["replicates"] == alone["replicates"] == 8


def test_seeds_with_equal_histories_count_once(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"kind": "sgd", "lr": 0.01}, {"kind": "momentum", "lr": 0.01}],
        "seeds": {"count": 20},
        "epochs": 50,
    }
    found = compare(client, run_job(client, spec))
    assert (found["seeds"], found["replicates"]) == (20, 1)
    assert found["pairs"][0]["p"] is None


def test_a_repeated_value_in_a_grid_is_no_evidence(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "sgd", "lr": [0.05, 0.05, 0.05]}, {"kind": "momentum", "lr": [0.05, 0.1]}],
        "seeds": {"count": 10},
        "epochs": 3,
    }
    answer = client.post("/v1/jobs", json=spec)
    if answer.status_code == 422:
        # A grid may refuse repeated values altogether.
        return
    found = compare(client, run_job(client, spec))
    assert (found["replicates"], found["choosing_seeds"]) == (5, 5)
    assert found["pairs"][0]["p"] is None


def test_starts_drawn_by_the_seed_are_evidence(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine", "starts": {"random": 3}},
        "optimizers": [{"kind": "sgd", "lr": 0.03}, {"kind": "momentum", "lr": 0.005, "momentum": 0.5}],
        "seeds": {"count": 10},
        "epochs": 5,
    }
    found = compare(client, run_job(client, spec))
    assert found["replicates"] == 10
    assert found["best"] == ["sgd"]
    ranks = {rank["label"]: (rank["low"], rank["high"]) for rank in found["ranks"]}
    assert ranks == {"sgd": (1, 1), "momentum": (2, 2)}
    assert found["pairs"][0]["p"] < 0.05


def test_nothing_depends_on_the_baseline_or_on_the_order_of_the_labels(client: httpx.Client) -> None:
    optimizers = [{"kind": kind, "lr": 0.05} for kind in ("sgd", "momentum", "nesterov")] + [
        {"kind": "adam", "lr": 0.01}
    ]
    spec = {"problem": {"kind": "flipnet"}, "optimizers": optimizers, "seeds": {"count": 10}, "epochs": 10}
    job_id = run_job(client, spec)
    answers = [compare(client, job_id, baseline=one["kind"]) for one in optimizers]
    answers.append(compare(client, run_job(client, {**spec, "optimizers": optimizers[::-1]})))
    first = answers[0]
    for other in answers[1:]:
        assert [rank["label"] for rank in other["ranks"]] == [rank["label"] for rank in first["ranks"]]
        for name in ("verdict", "best", "criterion", "target", "other_criteria"):
            assert other[name] == first[name]
    back = {(pair["b"], pair["a"]): pair for pair in answers[-1]["pairs"]}
    for pair in first["pairs"]:
        assert back[pair["a"], pair["b"]]["difference"] == pytest.approx(-pair["difference"])
        assert back[pair["a"], pair["b"]]["p"] == pytest.approx(pair["p"])


def test_ranks_pairs_and_the_best_are_one_statement(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "sgd", "lr": lr, "label": f"sgd {lr}"} for lr in (0.001, 0.01, 0.02, 0.05, 0.1)],
        "seeds": {"count": 12},
        "epochs": 10,
    }
    found = compare(client, run_job(client, spec))
    labels = [rank["label"] for rank in found["ranks"]]
    better = dict.fromkeys(labels, 0)
    worse = dict.fromkeys(labels, 0)
    for pair in found["pairs"]:
        assert pair["differs"] == (pair["p"] <= 0.05) == (pair["high"] <= 0 or pair["low"] >= 0)
        if pair["differs"]:
            first, second = ("a", "b") if pair["difference"] < 0 else ("b", "a")
            better[pair[first]] += 1
            worse[pair[second]] += 1
    for rank in found["ranks"]:
        assert (rank["low"], rank["high"]) == (1 + worse[rank["label"]], 5 - better[rank["label"]])
    assert found["best"] == [rank["label"] for rank in found["ranks"] if rank["low"] == 1]


@pytest.mark.slow
def test_settings_are_chosen_by_seeds_at_even_positions_and_judged_by_the_others(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine", "noise": 1.0, "starts": [[5, 2], [1, -2]]},
        "optimizers": [
            {"kind": "sgd", "lr": {"from": 1e-4, "to": 1e-2, "num": 11, "scale": "log"}},
            {"kind": "momentum", "lr": [0.001, 0.01]},
        ],
        "seeds": {"first": 0, "count": 12},
        "epochs": 30,
    }
    job_id = run_job(client, spec)
    found = compare(client, job_id)
    assert {"unequal_grids", "lr_at_grid_edge", "relies_on_normality"} <= codes(found)
    assert (found["tuned"], found["choosing_seeds"], found["replicates"]) == (True, 6, 6)
    label = found["labels"][0]
    finals: dict[float, dict[int, list[float]]] = {}
    for run in client.get(f"/v1/jobs/{job_id}/runs", params={"label": "sgd", "limit": 500}).json()["items"]:
        finals.setdefault(run["optimizer"]["lr"], {}).setdefault(run["seed"], []).append(run["final_loss"])
    scores = {lr: float(np.median([of[seed] for seed in range(0, 12, 2)])) for lr, of in finals.items()}
    best = min(scores, key=lambda lr: scores[lr])
    assert label["chosen"]["optimizer"]["lr"] == best
    judged = [np.mean(finals[best][seed]) for seed in range(1, 12, 2)]
    (setting,) = label["settings"]
    assert setting["final_loss"]["median"]["value"] == pytest.approx(np.median(judged))
    curve = label["tuning"]["expected_best"]["loss"]
    assert curve == sorted(curve, reverse=True)
    assert curve[0] == pytest.approx(np.mean(list(scores.values())))
    rates = label["tuning"]["learning_rates"]
    assert rates["low"] <= rates["best"] == best <= rates["high"]
    # The order of the starts is no matter.
    swapped = {**spec, "problem": {**spec["problem"], "starts": [[1, -2], [5, 2]]}}  # type: ignore[dict-item]
    again = compare(client, run_job(client, swapped))
    assert again["verdict"] == found["verdict"]
    assert again["pairs"][0]["difference"] == pytest.approx(found["pairs"][0]["difference"], rel=1e-6)


def test_without_tuning_every_setting_is_a_label_up_to_64(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine", "noise": 1.0},
        "optimizers": [{"kind": "sgd", "lr": {"from": 1e-3, "to": 1e-2, "num": 65, "scale": "log"}}],
        "seeds": {"count": 6},
        "epochs": 3,
    }
    job_id = run_job(client, spec)
    refused = client.get(f"/v1/jobs/{job_id}/comparison", params={"tuned": False})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"] == ["query", "tuned"]
    spec["optimizers"] = [{"kind": "sgd", "lr": {"from": 1e-3, "to": 1e-2, "num": 20, "scale": "log"}}]
    found = compare(client, run_job(client, spec), tuned=False)
    assert (found["tuned"], len(found["ranks"]), len(found["pairs"]), found["replicates"]) == (False, 20, 190, 6)
    assert found["labels"][0]["chosen"] is None


def test_a_single_distinct_seed_chooses_and_judges_without_a_claim(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"kind": "sgd", "lr": [0.01, 0.02, 0.2]}, {"kind": "momentum", "lr": [0.01, 0.02]}],
        "epochs": 30,
    }
    found = compare(client, run_job(client, spec))
    assert "chosen_on_judged_data" in codes(found)
    assert settings(found)["sgd lr=0.02"]["final_loss"] is not None
    assert found["best"] == ["sgd", "momentum"] or found["best"] == ["momentum", "sgd"]
