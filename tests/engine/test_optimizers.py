"""The contract that every optimizer of the registry meets."""

import math

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.engine.training import TWINS, flipnet_loss, rosenbrock, surface, torch_loop, train
from worker.engine.groups import group_runs
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.problems.flipnet import initial_weights
from worker.engine.settings import SettingsTable
from worker.engine.trainer import Plan, Trainer

UPDATES = 200
ROSENBROCK = "(1 - x)**2 + 100*(y - x**2)**2"
EIGENVALUES = np.linspace(0.5, 10, 10)
DESCENT = ("sgd", "momentum", "nesterov")
# The largest rates drawn, for descent and for the methods that scale each parameter. Ranges are such that a change in a
# start's last bit changes the end by less than 1e-11: beyond them (Adam with beta1 = 0, RMSprop with alpha = 0.9 in
# Rosenbrock's valley) it may change the end by 1e-2, and no two programs agree.
LARGEST_RATE = {"flipnet": (0.02, 0.01), "rosenbrock": (1e-4, 0.005), "quadratic": (0.05, 0.02)}


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


def sometimes(strategy: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.just(0.0) | strategy


HEAVY_BALL = {
    "momentum": sometimes(number(0.1, 0.95)),
    "dampening": sometimes(number(0.1, 1.0)),
    "weight_decay": sometimes(number(1e-4, 0.1)),
}
SETTINGS = {
    "sgd": HEAVY_BALL,
    "momentum": HEAVY_BALL,
    "nesterov": {"momentum": number(0.1, 0.9), "weight_decay": sometimes(number(1e-4, 0.1))},
    "adam": {
        "beta1": number(0.5, 0.95),
        "beta2": number(0.99, 0.9999),
        "eps": number(1e-10, 1e-3),
        "weight_decay": sometimes(number(1e-4, 0.1)),
        "amsgrad": st.booleans(),
    },
    "adagrad": {
        "lr_decay": sometimes(number(1e-4, 0.1)),
        "weight_decay": sometimes(number(1e-4, 0.1)),
        "initial_accumulator_value": sometimes(number(0.01, 1.0)),
        "eps": number(1e-10, 1e-3),
    },
    "rmsprop": {
        "alpha": number(0.98, 0.999),
        "eps": number(1e-8, 1e-3),
        "weight_decay": sometimes(number(1e-4, 0.1)),
        "momentum": sometimes(number(0.1, 0.9)),
        "centered": st.booleans(),
    },
}
SETTINGS["adamw"] = SETTINGS["adam"]


def drawn(kind: str) -> st.SearchStrategy[list[dict[str, float | bool]]]:
    """Settings of three runs; lr as a share of the largest rate."""
    return st.lists(st.fixed_dictionaries({"lr": number(0.05, 1.0), **SETTINGS[kind]}), min_size=3, max_size=3)


def scaled(kind: str, problem: str, runs: list[dict[str, float | bool]]) -> list[tuple[str, dict[str, float | bool]]]:
    largest = LARGEST_RATE[problem][0 if kind in DESCENT else 1]
    return [(kind, {**run, "lr": run["lr"] * largest}) for run in runs]


def final_weights(problem, optimizers, epochs):
    trainer = Trainer(Plan(problem, group_runs(optimizers, range(len(optimizers))), epochs))
    *_, last = trainer.run()
    assert last.number == epochs, "no run may diverge here"
    return trainer.checkpoint()["weights"]


def assert_equal(found_D: np.ndarray, expected_D: torch.Tensor) -> None:
    scale = expected_D.abs().max().item()
    np.testing.assert_allclose(found_D, expected_D.numpy(), rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("kind", OPTIMIZERS)
@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_every_run_of_a_stack_equals_its_own_torch_optim_loop(kind, data):
    runs = data.draw(drawn(kind))
    seeds = [0, 1, 2]
    optimizers = scaled(kind, "flipnet", runs)
    weights_DR = final_weights(FlipNet(seeds, batch_size=1), optimizers, math.ceil(UPDATES / 16))
    for run, optimizer in enumerate(optimizers):
        losses = [flipnet_loss([image]) for image in range(16)] * math.ceil(UPDATES / 16)
        assert_equal(weights_DR[:, run], torch_loop(initial_weights(seeds[run]).double(), losses, optimizer)[0])

    starts = [[-1.2, 1.0], [0.5, -0.5], [1.5, 1.0]]
    optimizers = scaled(kind, "rosenbrock", runs)
    weights_DR = final_weights(surface(ROSENBROCK, starts), optimizers, UPDATES)
    for run, optimizer in enumerate(optimizers):
        start = torch.tensor(starts[run], dtype=torch.float64)
        assert_equal(weights_DR[:, run], torch_loop(start, [rosenbrock] * UPDATES, optimizer)[0])

    starts = np.random.default_rng(0).normal(size=(3, 10))
    optimizers = scaled(kind, "quadratic", runs)
    weights_DR = final_weights(Quadratic(EIGENVALUES, starts, seeds), optimizers, UPDATES)
    eigenvalues = torch.from_numpy(EIGENVALUES)
    for run, optimizer in enumerate(optimizers):
        losses = [lambda weights: (eigenvalues * weights**2).sum() / 2] * UPDATES
        assert_equal(weights_DR[:, run], torch_loop(torch.from_numpy(starts[run]), losses, optimizer)[0])


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_maximize_climbs_as_torch_optim_does(kind):
    optimizer = (kind, {"lr": 0.01, "weight_decay": 0.1, "maximize": True})
    weights_DR = final_weights(Quadratic(EIGENVALUES, np.ones((1, 10)), [0]), [optimizer], 30)
    eigenvalues = torch.from_numpy(EIGENVALUES)
    losses = [lambda weights: (eigenvalues * weights**2).sum() / 2] * 30
    assert_equal(weights_DR[:, 0], torch_loop(torch.ones(10, dtype=torch.float64), losses, optimizer)[0])
    assert (weights_DR[:, 0] > 1).all()


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_defaults_are_those_of_torch_optim(kind):
    twin = TWINS[kind]([torch.zeros(1)], lr=0.1, **({"momentum": 0.9} if kind in ("momentum", "nesterov") else {}))
    group = twin.param_groups[0]
    defaults = OPTIMIZERS[kind].settings
    if "betas" in group:
        assert (defaults["beta1"], defaults["beta2"]) == group["betas"]
    if kind == "adagrad":
        assert defaults["initial_accumulator_value"] == twin.defaults["initial_accumulator_value"]
    for name in defaults.keys() & group.keys() - {"lr"}:
        assert defaults[name] == group[name], name
    assert math.isnan(defaults["lr"]), "lr is required"


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_descends(kind):
    history = train(surface("x**2 + 10*y**2", [[5, 2]]), [(kind, {"lr": 0.01 if kind in DESCENT else 0.1})], 300)
    assert history["loss"][-1, 0] < 0.2 * history["loss"][0, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_an_update_keeps_dtype_and_shape_and_changes_nothing_in_place(kind, dtype):
    optimizer = OPTIMIZERS[kind]
    flags = dict.fromkeys(optimizer.flags, True)
    numbers = dict.fromkeys(optimizer.settings, 0.5)
    (group,) = group_runs([(kind, {**numbers, **flags})], np.zeros(32, int))
    table = SettingsTable(group, np.arange(32), dtype, torch.device("cpu"))
    names = optimizer.state_names(group.terms)
    assert optimizer.state_per_parameter(group.terms) == len(names)
    weights = torch.rand(5, 32, dtype=dtype)
    gradient = torch.rand(5, 32, dtype=dtype)
    state = {name: torch.zeros(5, 32, dtype=dtype) for name in names}
    given_to_it = [weights, gradient, *state.values()]
    before = [tensor.clone() for tensor in given_to_it]
    for update in (0, 1, 70):
        after, new_state = optimizer.update(weights, gradient, state, table.rows(update), group.terms)
        assert new_state.keys() == state.keys()
        for tensor in (after, *new_state.values()):
            assert (tensor.dtype, tensor.shape) == (dtype, weights.shape)
        assert not torch.equal(after, weights)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(given_to_it, before, strict=True))


def test_the_state_that_each_method_keeps_is_what_theory_says():
    assert {kind: optimizer.state_per_parameter() for kind, optimizer in OPTIMIZERS.items()} == {
        "sgd": 0,
        "momentum": 1,
        "nesterov": 1,
        "adam": 2,
        "adamw": 2,
        "rmsprop": 1,
        "adagrad": 1,
    }
    assert OPTIMIZERS["sgd"].state_per_parameter(frozenset({"momentum"})) == 1
    assert OPTIMIZERS["adam"].state_per_parameter(frozenset({"amsgrad"})) == 3
    assert OPTIMIZERS["rmsprop"].state_per_parameter(frozenset({"centered", "momentum"})) == 3


def test_momentum_zero_is_gradient_descent_bit_for_bit():
    kinds = {"sgd": {}, "momentum": {"momentum": 0.0}, "nesterov": {"momentum": 0.0}}
    optimizers = [(kind, {"lr": 0.05, **settings}) for kind, settings in kinds.items()]
    history = train(FlipNet([3, 3, 3], batch_size=1), optimizers, 10)
    assert history.of_runs([0]) == history.of_runs([1]) == history.of_runs([2])


def test_sgd_with_a_momentum_is_the_heavy_ball_bit_for_bit():
    settings = {"lr": 0.05, "momentum": 0.8, "dampening": 0.3}
    history = train(FlipNet([3, 3], batch_size=1), [("sgd", settings), ("momentum", settings)], 10)
    assert history.of_runs([0]) == history.of_runs([1])


def test_a_setting_that_does_not_exist_or_is_missing_is_refused():
    with pytest.raises(ValueError, match="beta1"):
        group_runs([("sgd", {"lr": 0.1, "beta1": 0.9})], [0])
    with pytest.raises(ValueError, match="lr"):
        group_runs([("adam", {})], [0])


def test_runs_are_grouped_by_what_their_formula_looks_like():
    groups = group_runs(
        [("sgd", {"lr": 0.1}), ("adam", {"lr": 0.1}), ("sgd", {"lr": 0.2}), ("sgd", {"lr": 0.2, "weight_decay": 0.1})],
        [0, 1, 2, 3, 0],
    )
    assert [(group.kind, group.runs.tolist(), sorted(group.terms)) for group in groups] == [
        ("sgd", [0, 2, 4], []),
        ("adam", [1], []),
        ("sgd", [3], ["weight_decay"]),
    ]
    assert groups[0].settings["lr"].tolist() == [0.1, 0.2, 0.1]
