"""Estimates of the time of a job, and its division into shards."""

from typing import Any

import pytest

from service.spec.job import JobSpec
from service.spec.price import LARGEST_FIXED_SHARE, MAX_SHARDS, SHARD_SECONDS, Price, price


def cost_of(expression: str = "x**2 + 10*y**2", **changes: Any) -> Price:
    problem = {"kind": "surface", "expression": expression, "start": [1.0, 0.5]}
    written = {"problem": problem, "optimizers": [{"kind": "sgd", "lr": 1e-4}], "epochs": 1_000, **changes}
    return price(JobSpec.model_validate(written))


def test_a_long_formula_is_priced_by_its_operations() -> None:
    short, long = (cost_of(" + ".join(f"sin({n}.5*x + y)" for n in range(1, terms))) for terms in (2, 100))
    assert long.seconds > 5 * short.seconds
    assert (short.queue, long.queue) == ("interactive", "batch")


def test_shared_terms_of_a_formula_are_priced_once() -> None:
    once, often = cost_of("sin(x + y)"), cost_of(" + ".join(["sin(x + y)"] * 50))
    assert often.seconds < 5 * once.seconds


@pytest.mark.parametrize("problem", [{"kind": "flipnet"}, {"kind": "digits"}])
def test_each_measure_adds_to_the_price(problem: dict[str, Any]) -> None:
    plain, measured = (cost_of(problem=problem, epochs=2, measure=measure) for measure in ([], ["sharpness"]))
    assert measured.seconds > 1.2 * plain.seconds


def test_noise_and_costly_optimizers_add_to_the_price() -> None:
    quiet, noisy = (cost_of(problem={"kind": "surface", "name": "ravine", "noise": noise}, seeds={"count": 500})
                    for noise in (0.0, 0.1))  # fmt: skip
    assert noisy.seconds > quiet.seconds
    cheap, costly = (cost_of(problem={"kind": "digits"}, epochs=1, optimizers=[{"kind": kind, "lr": 1e-3}])
                     for kind in ("sgd", "muon"))  # fmt: skip
    assert costly.seconds > cheap.seconds


@pytest.mark.parametrize("changes", [
    {"problem": {"kind": "digits", "model": "cnn"}, "epochs": 20, "seeds": {"count": 1_000}},
    {"problem": {"kind": "digits"}, "epochs": 100, "seeds": {"count": 10_000}},
    {"epochs": 2_000, "seeds": {"count": 20_000}, "measure": ["sharpness"], "record_every": 100},
])  # fmt: skip
def test_a_shard_takes_half_a_minute_unless_most_of_it_would_be_fixed_costs(changes: dict[str, Any]) -> None:
    cost = cost_of(**changes)
    assert 1 < cost.num_shards <= MAX_SHARDS
    of_runs = cost.shard_size * cost.training.run
    seconds = cost.training.shard + of_runs
    assert seconds <= SHARD_SECONDS or cost.training.shard >= 0.9 * LARGEST_FIXED_SHARE * seconds


def test_a_job_for_which_a_user_waits_is_trained_by_two_workers() -> None:
    bare = JobSpec.model_validate({"problem": {"kind": "flipnet"}, "optimizers": ["sgd", "momentum", "adam"]})
    assert (price(bare).queue, price(bare).num_shards) == ("interactive", 2)
    assert [num for _, num in price(bare).shards()] == [960, 960]
    # Most of it would be fixed costs.
    assert cost_of(problem={"kind": "flipnet"}, epochs=30, seeds={"count": 20}).num_shards == 1


def test_jobs_of_any_length_have_a_bounded_number_of_shards() -> None:
    changes = {"problem": {"kind": "digits", "hidden": 4}, "epochs": 500, "seeds": {"count": 1_000_000}}
    assert cost_of(**changes).num_shards <= MAX_SHARDS
