"""Specs: validation, defaults, grids, runs and price."""

import json
from typing import Any

import numpy as np
import pytest

from service.errors import Rejected
from service.jobs.limits import affordable
from service.settings import Settings
from service.spec.fields import Range
from service.spec.job import JobSpec
from service.spec.optimizers import BUILT_IN
from service.spec.price import MAX_SHARD_BYTES, price
from service.spec.runs import Runs
from tests.spec.small import SGD, spec


def test_defaults_are_filled_in() -> None:
    given = spec().as_dict()
    assert given["batch_size"] == 1
    assert given["seeds"] == [0]
    assert given["record_every"] == 1
    assert given["dtype"] == "float32"
    assert given["optimizers"][0]["label"] == "sgd"
    assert given["name"] == "sgd on flipnet"


def test_surfaces_and_quadratics_are_computed_in_float64_by_default() -> None:
    ravine = {"kind": "surface", "name": "ravine"}
    assert spec(problem=ravine).dtype == "float64"
    assert spec(problem=ravine, dtype="float32").dtype == "float32"
    assert spec(problem={"kind": "quadratic", "eigenvalues": [1.0]}).dtype == "float64"


def test_batches_and_their_order_are_those_of_the_problem_by_default() -> None:
    digits = spec(problem={"kind": "digits"})
    assert (digits.batch_size, digits.shuffle, digits.dtype) == (32, True, "float32")
    given = spec(problem={"kind": "digits"}, batch_size=1, shuffle=False)
    assert (given.batch_size, given.shuffle) == (1, False)
    assert spec(problem={"kind": "digits", "train_size": 20}).batch_size == 20
    assert (spec().batch_size, spec().shuffle) == (1, False)


def test_a_surface_starts_at_its_typical_start() -> None:
    assert spec(problem={"kind": "surface", "name": "ravine"}).problem.start == [5.0, 2.0]  # type: ignore[union-attr]


def test_an_accepted_spec_posted_again_is_the_same_job() -> None:
    for problem in (
        {"kind": "flipnet"},
        {"kind": "surface", "name": "saddle"},
        {
            "kind": "surface",
            "expression": "x**2 + y**4",
            "starts": {"x": {"from": -1, "to": 1, "num": 3}, "y": {"from": 0, "to": 1, "num": 2}},
        },
        {"kind": "quadratic", "eigenvalues": [1, 100], "angle": 30, "shift_at": 3, "shift_by": [1.0, 0.0]},
        {"kind": "digits", "train_size": 20},
    ):
        optimizers = [SGD, {"kind": "adam", "lr": {"from": 1e-3, "to": 1, "num": 5, "scale": "log"}}]
        once = spec(problem=problem, optimizers=optimizers, seeds={"first": 3, "count": 4})
        again = JobSpec.model_validate(json.loads(json.dumps(once.as_dict())))
        assert again.as_dict() == once.as_dict()
        assert again.digest() == once.digest()


def test_momentum_is_0_9_for_the_methods_named_after_it() -> None:
    optimizers = [{"kind": "momentum", "lr": 0.1}, {"kind": "nesterov", "lr": 0.1}, {"kind": "rmsprop", "lr": 0.1}]
    runs = Runs(spec(optimizers=optimizers))
    assert [runs[index].optimizer["momentum"] for index in range(3)] == [0.9, 0.9, 0.0]


def test_lists_and_ranges_multiply_into_a_grid_the_first_varying_slowest() -> None:
    runs = Runs(
        spec(
            optimizers=[{"kind": "momentum", "lr": [0.1, 0.2], "momentum": {"from": 0.0, "to": 0.9, "num": 3}}],
            seeds=[7, 8],
        )
    )
    assert len(runs) == 12
    assert [runs[index].seed for index in range(3)] == [7, 8, 7]
    settings = [(runs[index].optimizer["lr"], runs[index].optimizer["momentum"]) for index in range(0, 12, 2)]
    assert settings == [(0.1, 0.0), (0.1, 0.45), (0.1, 0.9), (0.2, 0.0), (0.2, 0.45), (0.2, 0.9)]
    assert runs[2].label == "momentum lr=0.1 momentum=0.45"


def test_runs_nest_optimizers_then_seeds_then_starts() -> None:
    starts = {"x": {"from": 0, "to": 1, "num": 2}, "y": {"from": 5, "to": 6, "num": 2}}
    problem = {"kind": "surface", "name": "ravine", "starts": starts}
    runs = Runs(spec(problem=problem, optimizers=[SGD, {"kind": "adam", "lr": 0.1}], seeds=[1, 2]))
    assert len(runs) == 16
    seen = [(runs[index].label, runs[index].seed, runs[index].start) for index in range(16)]
    expected = [
        (label, seed, [float(x), float(y)])
        for label in ("sgd", "adam")
        for seed in (1, 2)
        for x in (0, 1)
        for y in (5, 6)
    ]
    assert seen == expected


class CountedSeeds:
    """Listed seeds that count their conversions to an array."""

    def __init__(self, seeds: list[int]) -> None:
        self.seeds, self.num_conversions = seeds, 0

    def __len__(self) -> int:
        return len(self.seeds)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self.num_conversions += 1
        return np.array(self.seeds, dtype=dtype)


def test_listed_seeds_are_converted_once_for_all_runs() -> None:
    listed = CountedSeeds([5, 3, 8])
    optimizers = [{"kind": "sgd", "lr": 0.1}]
    spec = JobSpec.model_validate({"problem": {"kind": "flipnet"}, "optimizers": optimizers, "epochs": 1})
    runs = Runs(spec.model_copy(update={"seeds": listed}))
    assert [runs[index].seed for index in range(len(runs))] == [5, 3, 8]
    assert listed.num_conversions == 1


def test_a_range_has_its_ends_exactly_and_equal_ratios_when_logarithmic() -> None:
    values = Range.model_validate({"from": 1e-3, "to": 1.0, "num": 4, "scale": "log"}).values()
    assert values[0] == 1e-3
    assert values[-1] == 1.0
    np.testing.assert_allclose(np.diff(np.log10(values)), 1.0)


def test_runs_are_found_by_label_of_an_entry_and_of_one_setting() -> None:
    runs = Runs(spec(optimizers=[SGD, {"kind": "adam", "lr": [0.1, 0.2], "label": "a"}], seeds=[0, 1]))
    assert list(runs.labelled("sgd")) == [(0, 2)]
    assert list(runs.labelled("a")) == [(2, 6)]
    assert list(runs.labelled("a lr=0.2")) == [(4, 6)]
    assert list(runs.labelled("a lr=0.3")) == []
    assert list(runs.labelled("b")) == []


def test_entries_of_one_kind_get_different_labels() -> None:
    given = spec(optimizers=[SGD, {"kind": "sgd", "lr": 0.1}, {"kind": "sgd", "lr": 0.1}])
    assert [entry.label for entry in given.optimizers] == ["sgd lr=0.05", "sgd lr=0.1", "sgd lr=0.1 (2)"]


def test_the_price_counts_without_listing() -> None:
    cost = price(
        spec(
            optimizers=[{"kind": "momentum", "lr": {"from": 0.01, "to": 0.1, "num": 1000}, "momentum": [0.5, 0.9]}],
            seeds={"count": 50},
            epochs=25,
            batch_size=5,
            accumulate=2,
            record_every=10,
        )
    )
    assert cost.runs_total == 100_000
    assert cost.epochs_total == 2_500_000
    assert cost.updates_total == 2_500_000 * 2  # 16 images in batches of 5, 5, 5, 1: two updates of two.
    assert cost.rows_total == 100_000 * 4  # Epochs 0, 10, 20 and the last.
    shards = cost.shards()
    assert sum(num for _, num in shards) == 100_000
    assert len(shards) % 2 == 0
    assert max(num for _, num in shards) - min(num for _, num in shards) < 16 * len(shards)
    assert [first for first, _ in shards] == list(np.cumsum([0, *(num for _, num in shards[:-1])]))


def test_shards_shrink_until_they_fit_into_memory() -> None:
    small = price(spec(problem={"kind": "digits"}))
    assert small.shard_runs == 64
    wide = price(spec(problem={"kind": "digits", "model": "resnet", "hidden": 64}, batch_size=512))
    assert 1 <= wide.shard_runs < 16
    assert wide.shard_runs * wide.run_bytes <= MAX_SHARD_BYTES


def test_a_single_run_beyond_memory_is_refused_with_the_limit() -> None:
    huge = spec(problem={"kind": "digits", "model": "resnet", "hidden": 256}, batch_size=1400)
    with pytest.raises(Rejected, match=f"at most {MAX_SHARD_BYTES:,} are allowed"):
        affordable(huge, Settings())


def test_a_small_job_is_interactive_and_a_sweep_is_not() -> None:
    assert price(spec(epochs=30)).queue == "interactive"
    sweep = {"kind": "sgd", "lr": {"from": 0.01, "to": 0.1, "num": 100_000}}
    assert price(spec(optimizers=[sweep], epochs=30)).queue == "batch"
    resnet = {"kind": "digits", "model": "resnet"}
    assert price(spec(problem=resnet, epochs=30)).queue == "batch"
    digits = {"kind": "digits"}
    assert price(spec(problem=digits, epochs=10)).queue == "interactive"
    assert price(spec(problem=digits, epochs=10, measure=["sharpness"])).queue == "batch"


def test_every_optimizer_of_the_catalogue_requires_only_a_learning_rate() -> None:
    for kind in BUILT_IN:
        name = kind.model_json_schema()["properties"]["kind"]["const"]
        assert Runs(spec(optimizers=[{"kind": name, "lr": 0.1}]))[0].optimizer["lr"] == 0.1
