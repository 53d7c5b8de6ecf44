"""POST /v1/theory: limits and best settings without training."""

from typing import Any

import httpx
import pytest

from tests.servers import wait_for_job

pytestmark = pytest.mark.databases("sqlite")

RAVINE = {"kind": "surface", "name": "ravine"}


def ask(client: httpx.Client, **query: object) -> dict:
    answer = client.post("/v1/theory", json=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_limits_and_best_settings_on_the_ravine_are_answered(client: httpx.Client) -> None:
    found = ask(client, problem=RAVINE, optimizer="nesterov", lr=0.07)
    assert found["exact"] is True
    assert found["setting"]["lr_limit"] == pytest.approx(0.0678571, abs=5e-8)
    assert found["setting"]["inside"] is False
    assert found["problem"]["condition_number"] == pytest.approx(10)
    best = {one["kind"]: (one["lr"], one["momentum"]) for one in found["problem"]["best"]}
    assert best["momentum"] == pytest.approx((0.1154431, 0.2698739), abs=5e-8)


def test_noise_and_momentum_are_taken_into_account(client: httpx.Client) -> None:
    found = ask(client, problem={**RAVINE, "noise": 1.0}, optimizer="momentum", momentum=0.9, lr=0.05)
    assert found["setting"]["stationary_loss"] == pytest.approx(
        0.1283784 + 10 * 0.05 * 1.9 / (20 * 0.1 * 2.8), abs=1e-6
    )
    assert found["setting"]["oscillates"] is True
    assert ask(client, problem=RAVINE, optimizer="sgd")["setting"]["lr_limit"] == pytest.approx(0.1)


def test_a_network_has_only_a_sharpness_ceiling_and_a_slope_has_no_limit(client: httpx.Client) -> None:
    found = ask(client, problem={"kind": "flipnet"}, optimizer="adam", lr=0.01)
    assert found["setting"]["sharpness_ceiling"] == pytest.approx(3800)
    assert found["setting"]["lr_limit"] is None
    slope = ask(client, problem={"kind": "surface", "name": "slope"}, optimizer="sgd")
    assert slope["setting"]["lr_limit"] == "Infinity"
    assert slope["problem"]["best"] == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"problem": RAVINE, "optimizer": "lion"}, ["body", "optimizer"]),
        ({"problem": RAVINE, "lr": 0}, ["body", "lr"]),
        ({"problem": {"kind": "surface", "name": "nope"}}, ["body", "problem", "name"]),
        ({"problem": RAVINE, "beta": 0.9}, ["body", "beta"]),
    ],
)
def test_an_invalid_query_is_rejected_with_the_place(client: httpx.Client, query: dict, place: list) -> None:
    answer = client.post("/v1/theory", json=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == place


@pytest.mark.parametrize(
    ("problem", "setting"),
    [
        ({"kind": "flipnet"}, {"optimizer": "adamw", "lr": 5e-324}),
        ({**RAVINE, "noise": 1.0}, {"optimizer": "momentum", "lr": 1e-300, "momentum": 1 - 2**-53, "dampening": 1}),
        ({**RAVINE, "noise": 1.0}, {"accumulate": 10**400}),
    ],
)
def test_a_setting_whose_theory_overflows_has_a_note_in_its_place(
    client: httpx.Client, problem: dict[str, Any], setting: dict[str, Any]
) -> None:
    found = ask(client, problem=problem, **setting)
    assert "beyond the range of floating point numbers" in found["setting"]["notes"][-1]
    assert (found["setting"]["rate"], found["setting"]["stationary_loss"]) == (None, None)


def test_curvatures_that_are_too_small_have_no_best_setting(client: httpx.Client) -> None:
    problem = {"kind": "quadratic", "eigenvalues": [5e-324, 1e-310], "start": [1, 1]}
    found = ask(client, problem=problem)["problem"]
    assert (found["condition_number"], found["best"]) == (None, [])
    assert "beyond the range" in found["notes"][-1]


def theory_of_job(client: httpx.Client, problem: dict[str, Any], *optimizers: dict[str, Any]) -> Any:
    spec = {"problem": problem, "optimizers": list(optimizers), "epochs": 200}
    job = wait_for_job(client, client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
    return client.get(f"/v1/jobs/{job['id']}/comparison").raise_for_status().json()["theory"]


def test_a_comparison_has_measured_and_predicted_rates(client: httpx.Client) -> None:
    found = theory_of_job(client, RAVINE, {"kind": "sgd", "lr": [0.02, 0.2]}, {"kind": "momentum", "lr": 0.02})
    slow, outside, fast = found["settings"]
    assert found["exact"] is True
    assert [one["inside"] for one in (slow, outside, fast)] == [True, False, True]
    for one in (slow, fast):
        assert one["measured_rate"] == pytest.approx(one["rate"], abs=0.01)


def test_a_comparison_judges_each_run_at_the_minimum_that_it_reached_also_after_it_moved(client: httpx.Client) -> None:
    himmelblau = {"kind": "surface", "name": "himmelblau", "start": [-4, -4], "shift_at": 50, "shift_by": [0.5, 0.5]}
    (setting,) = theory_of_job(client, himmelblau, {"kind": "sgd", "lr": 0.005})["settings"]
    assert setting["minimum"] == pytest.approx([-3.779310, -3.283186], abs=1e-5)
    assert setting["measured_rate"] == pytest.approx(setting["rate"], abs=0.01)


def test_a_comparison_of_networks_has_no_theory(client: httpx.Client) -> None:
    spec = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 2}
    job = wait_for_job(client, client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
    assert client.get(f"/v1/jobs/{job['id']}/comparison").json()["theory"] is None


def test_where_theory_has_no_value_a_note_says_why(client: httpx.Client) -> None:
    found = ask(client, problem={"kind": "surface", "expression": "exp(x)", "start": [1]}, optimizer="sgd")
    assert (found["problem"]["minimum"], found["problem"]["best"]) == (None, [])
    assert found["problem"]["notes"] == ["No minimum was found from the start; the numbers hold near it."]
    hill = {"kind": "surface", "expression": "0 - x**2 - y**2", "start": [1, 1]}
    setting = ask(client, problem=hill, optimizer="sgd")["setting"]
    assert (setting["lr_limit"], setting["inside"]) == (None, False)
    assert "A curvature is negative" in setting["notes"][1]
    assert "sharpness ceilings" in ask(client, problem={"kind": "flipnet"}, optimizer="sgd")["setting"]["notes"][0]


def test_weight_decay_is_part_of_the_loss_that_is_minimised(client: httpx.Client) -> None:
    # (x − 3)² with weight decay 4 is minimal at 1, where the loss itself is 4; its curvature is 2, with decay 6.
    problem = {"kind": "surface", "expression": "(x - 3)**2", "start": [5], "noise": 1.0}
    found = ask(client, problem=problem, optimizer="sgd", lr=0.1, weight_decay=4)
    assert found["problem"]["minimum"] == pytest.approx([1])
    assert found["problem"]["largest"] == pytest.approx(6)
    assert found["setting"]["stationary_loss"] == pytest.approx(4 + 0.1 / (6 * (2 - 0.6)))
    averaged = ask(client, problem=problem, optimizer="sgd", lr=0.1, weight_decay=4, batch_size=2, accumulate=5)
    assert averaged["setting"]["stationary_loss"] == pytest.approx(4 + 0.1 / (6 * (2 - 0.6)) / 10)
    full = ask(client, problem=problem, optimizer="sgd", lr=0.1, batch_size="full")
    assert full["setting"]["stationary_loss"] is None


def test_the_critical_momentum_depends_on_the_dampening(client: httpx.Client) -> None:
    query = {"problem": {"kind": "surface", "name": "parabola"}, "lr": 0.125}
    found = [ask(client, **query, dampening=one)["setting"]["critical_momentum"] for one in (0, 0.75)]
    assert found == pytest.approx([0.25, 0.5625])


def test_the_rate_of_a_job_with_weight_decay_is_measured_after_the_landscape_moved(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "booth", "start": [4, 4], "shift_at": 30, "shift_by": [1, -2]},
        "optimizers": [{"kind": "sgd", "lr": 0.02, "weight_decay": 4}],
        "epochs": 400,
    }
    job_id = wait_for_job(client, client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])["id"]
    (setting,) = client.get(f"/v1/jobs/{job_id}/comparison").json()["theory"]["settings"]
    path = client.get(f"/v1/jobs/{job_id}/metrics", params={"fields": "position"}).json()["runs"][0]["position"]
    # The minimum is in the coordinates of the landscape before it moved.
    assert setting["minimum"] == pytest.approx([path[-1][0] - 1, path[-1][1] + 2], abs=1e-6)
    assert setting["measured_rate"] == pytest.approx(setting["rate"], abs=0.01)
