"""Search of hyper-parameters: intervals, bare kinds, equal numbers of trials, and the defaults of such a job."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.stats import qmc

from service.spec.bare_kinds import KINDS
from service.spec.job import JobSpec
from service.spec.price import price
from service.spec.runs import Runs
from service.spec.spaces import default_space

BARE = {"problem": {"kind": "flipnet"}, "optimizers": ["sgd", "momentum", "adam"]}
RATE = {"from": 1e-4, "to": 1.0, "scale": "log"}


def spec_of(*entries: Any, **fields: Any) -> JobSpec:
    return JobSpec.model_validate({"problem": {"kind": "flipnet"}, "optimizers": list(entries), **fields})


def trials_of(spec: JobSpec, entry: int = 0) -> dict[str, NDArray[np.float64]]:
    settings = Runs(spec).entries[entry]
    return settings.columns(np.arange(settings.num))


def sobol(num_dimensions: int, num: int = 32, seed: int = 0) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # That some numbers of points are less balanced than others.
        points: NDArray[np.float64] = qmc.Sobol(num_dimensions, scramble=True, rng=seed).random(num)
    return points


def rejected(spec: dict[str, Any]) -> tuple[tuple[str | int, ...], str]:
    with pytest.raises(ValidationError) as caught:
        JobSpec.model_validate({"problem": {"kind": "flipnet"}, **spec})
    [error] = caught.value.errors()
    return error["loc"], error["msg"]


def test_three_bare_kinds_on_a_problem_are_a_complete_job() -> None:
    spec = JobSpec.model_validate(BARE)
    assert price(spec).runs_total == len(Runs(spec)) == 3 * 32 * 20
    assert spec.epochs == 30
    assert [entry.label for entry in spec.optimizers] == ["sgd", "momentum", "adam"]


def test_a_bare_kind_is_stored_as_its_object_with_the_whole_default_space() -> None:
    entry = spec_of("momentum").as_dict()["optimizers"][0]
    assert entry["lr"] == RATE
    assert entry["momentum"] == {"from": 0.5, "to": 0.995, "scale": "one_minus_log"}
    spelled = spec_of({"kind": "momentum", "lr": entry["lr"], "momentum": entry["momentum"]})
    assert spelled.digest() == spec_of("momentum").digest()


def test_an_accepted_search_is_accepted_again_as_the_same_job() -> None:
    for spec in (JobSpec.model_validate(BARE), spec_of("lion", search={"trials": 5, "method": "random", "seed": 3})):
        assert JobSpec.model_validate(spec.as_dict()) == spec


def test_the_usual_search_is_left_out_of_the_stored_spec() -> None:
    assert "search" not in spec_of("adam", search={"trials": 32, "method": "sobol", "seed": 0}).as_dict()
    assert spec_of("adam", search={"trials": 8}).as_dict()["search"] == {"trials": 8, "method": "sobol", "seed": 0}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_default_space_inside_its_bounds(kind: str) -> None:
    problem = {"kind": "flipnet"}
    entry = JobSpec.model_validate({"problem": problem, "optimizers": [kind]}).optimizers[0]
    searched = {name for name, grid in entry.grids().items() if grid == default_space(kind).get(name)}
    assert searched == set(default_space(kind))


def test_an_entry_without_a_learning_rate_searches_it_alone() -> None:
    trials = trials_of(spec_of({"kind": "adam", "beta1": 0.5}))
    assert len(set(trials["lr"])) == 32
    assert set(trials["beta1"]) == {0.5}
    assert set(trials["beta2"]) == {0.999}


def test_the_points_are_those_of_scipys_scrambled_sobol_sequence() -> None:
    for num, seed in ((32, 0), (1, 0), (7, 5), (100, 2**32 - 1)):
        trials = trials_of(spec_of("adam", search={"trials": num, "seed": seed}))
        share = sobol(3, num, seed)
        np.testing.assert_allclose(trials["lr"], 10 ** (-4 + 4 * share[:, 0]), rtol=1e-12)
        np.testing.assert_allclose(1 - trials["beta1"], 0.5 * 0.01 ** share[:, 1], rtol=1e-10)
        np.testing.assert_allclose(1 - trials["beta2"], 0.1 * 0.001 ** share[:, 2], rtol=1e-9)


def test_the_random_points_are_uniform_and_repeat() -> None:
    spec = spec_of({"kind": "sgd", "lr": {"from": 1.0, "to": 3.0}}, search={"trials": 4_000, "method": "random"})
    rates = trials_of(spec)["lr"]
    assert abs(rates.mean() - 2.0) < 4 * 2 / np.sqrt(12 * 4_000)
    assert (rates == trials_of(JobSpec.model_validate(spec.as_dict()))["lr"]).all()


def test_every_entry_has_the_same_points_in_the_order_of_its_hyper_parameters() -> None:
    spec = spec_of("momentum", "nesterov")
    assert (trials_of(spec)["lr"] == trials_of(spec, 1)["lr"]).all()
    assert (trials_of(spec)["momentum"] == trials_of(spec, 1)["momentum"]).all()


def test_a_list_or_range_beside_an_interval_is_a_dimension_of_the_search() -> None:
    entry = {
        "kind": "adam", "lr": RATE, "beta1": [0.9, 0.5, 0.0], "beta2": {"from": 0.9, "to": 0.99, "num": 2},
    }  # fmt: skip
    trials, share = trials_of(spec_of(entry)), sobol(3)
    assert len(trials["lr"]) == 32
    assert (trials["beta1"] == np.array([0.9, 0.5, 0.0])[(share[:, 1] * 3).astype(int)]).all()
    assert (trials["beta2"] == np.array([0.9, 0.99])[(share[:, 2] * 2).astype(int)]).all()


def test_entries_without_an_interval_keep_their_grid() -> None:
    spec = spec_of({"kind": "sgd", "lr": [0.1, 0.2, 0.3]}, "momentum", search={"trials": 5})
    assert [settings.num for settings in Runs(spec).entries] == [3, 5]
    assert price(spec).runs_total == 8 * 20


def test_every_searched_entry_has_exactly_as_many_trials_as_the_search_whatever_it_searches() -> None:
    draw = np.random.default_rng(0)
    for _ in range(200):
        entries: list[Any] = []
        for at in range(int(draw.integers(1, 5))):
            kind = KINDS[draw.integers(len(KINDS))]
            space = list(default_space(kind))
            fixed = {name: 0.75 for name in space[1:] if draw.random() < 0.5}
            lists = {name: [0.6, 0.7, 0.75] for name in space[1:] if draw.random() < 0.3}
            label = f"{kind} {at}"
            entries.append(kind if draw.random() < 0.3 else {"kind": kind, "label": label, **fixed, **lists})
        num = int(draw.integers(1, 70))
        spec = spec_of(*entries, search={"trials": num, "seed": int(draw.integers(100))}, seeds=[0, 1])
        runs = Runs(spec)
        assert [settings.num for settings in runs.entries] == [num] * len(entries)
        assert price(spec).runs_total == len(runs) == 2 * num * len(entries)
        for settings in runs.entries:
            for name, values in settings.columns(np.arange(num)).items():
                grid = settings.entry.grids()[name]
                if low := getattr(grid, "from_", None):
                    assert (values >= low).all()
                    assert (values <= grid.to).all()


def test_a_trial_is_found_by_its_label() -> None:
    runs = Runs(spec_of("adam", search={"trials": 9}, seeds=[0, 1]))
    for index in (0, 6, 17):
        [(first, last)] = runs.labelled(runs[index].label)
        assert first <= index < last == first + 2


def test_one_minus_log_spaces_the_distance_from_one_evenly() -> None:
    grid = {"from": 0.9, "to": 0.999, "num": 3, "scale": "one_minus_log"}
    trials = trials_of(spec_of({"kind": "momentum", "lr": 0.1, "momentum": grid}))
    np.testing.assert_allclose(trials["momentum"], [0.9, 0.99, 0.999], rtol=1e-12)


@pytest.mark.parametrize(
    ("problem", "epochs"),
    [({"kind": "flipnet"}, 30), ({"kind": "surface", "name": "ravine"}, 200), ({"kind": "digits"}, 20)],
)
def test_the_epochs_are_those_of_the_problem_unless_given(problem: dict[str, Any], epochs: int) -> None:
    for optimizer in ("adam", {"kind": "sgd", "lr": 0.1}):
        spec = {"problem": problem, "optimizers": [optimizer]}
        assert JobSpec.model_validate(spec).epochs == epochs
        assert JobSpec.model_validate({**spec, "epochs": 7}).epochs == 7


def test_a_search_has_twenty_seeds_and_a_grid_has_one_unless_given() -> None:
    assert spec_of("adam").as_dict()["seeds"] == {"first": 0, "count": 20}
    assert spec_of({"kind": "sgd", "lr": [0.1, 0.2]}).as_dict()["seeds"] == [0]
    assert spec_of("adam", seeds=[7]).as_dict()["seeds"] == [7]


@pytest.mark.parametrize(
    ("problem", "starts"),
    [
        ({"kind": "surface", "name": "ravine"}, {"random": 1, "within": {"x": [-6.0, 6.0], "y": [-3.0, 3.0]}}),
        ({"kind": "surface", "expression": "x**2"}, {"random": 1, "within": {"x": [-5.0, 5.0]}}),
        ({"kind": "surface", "name": "ravine", "start": [1, 1]}, None),
        ({"kind": "surface", "name": "ravine", "noise": 0.1}, None),
        ({"kind": "surface", "name": "ravine", "starts": [[1, 1], [2, 2]]}, [[1.0, 1.0], [2.0, 2.0]]),
    ],
)
def test_a_search_on_a_landscape_on_which_all_seeds_would_be_equal_draws_its_starts(problem: Any, starts: Any) -> None:
    spec = JobSpec.model_validate({"problem": problem, "optimizers": ["sgd"]})
    assert spec.as_dict()["problem"]["starts"] == starts
    assert JobSpec.model_validate(spec.as_dict()).digest() == spec.digest()


def test_without_a_search_a_landscape_keeps_its_typical_start() -> None:
    spec = {"problem": {"kind": "surface", "name": "ravine"}, "optimizers": [{"kind": "sgd", "lr": 0.1}]}
    assert JobSpec.model_validate(spec).as_dict()["problem"]["start"] == [5.0, 2.0]


def test_an_unknown_bare_kind_is_refused_with_the_kinds_there_are() -> None:
    place, message = rejected({"optimizers": ["sgd", "adm"]})
    assert place == ("optimizers", 1)
    assert "'adm'" in message
    assert all(kind in message for kind in KINDS)


@pytest.mark.parametrize(
    ("interval", "message"),
    [
        ({"from": 1.0, "to": 0.1}, "below"),
        ({"from": 0.1, "to": 0.1}, "below"),
        ({"from": 0.0, "to": 0.1, "scale": "log"}, "above 0"),
        ({"from": -0.1, "to": 0.1}, "must be above 0"),
        ({"from": 0.1, "to": 1.0, "scale": "one_minus_log"}, "below 1"),
        ({"from": 0.1, "to": 1.0, "scale": "root"}, "one_minus_log"),
        ({"from": 0.1}, "required"),
    ],
)
def test_an_invalid_interval_is_refused_with_its_place(interval: dict[str, Any], message: str) -> None:
    place, found = rejected({"optimizers": [{"kind": "sgd", "lr": interval}]})
    assert place[:4] == ("optimizers", 0, "sgd", "lr")
    assert message in found


def test_a_search_without_an_interval_is_refused() -> None:
    place, message = rejected({"optimizers": [{"kind": "sgd", "lr": 0.1}], "search": {"trials": 4}})
    assert place == ("search",)
    assert "no optimizer has an interval" in message
