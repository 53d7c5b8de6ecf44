"""Contract suite of the optimizers of the registry."""

import math

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.groups import defaults, group_runs
from tests.worker.engine.hyper_parameters import DESCENT, ON_POINTS, SETTINGS, UNITS, drawn, scaled
from tests.worker.engine.training import (
    EIGENVALUES,
    ROSENBROCK,
    assert_equal,
    final_weights,
    flipnet_loss,
    quadratic_loss,
    rosenbrock,
    surface,
    torch_loop,
    train,
)
from tests.worker.engine.twins import PAIRS, TWINS, twin_settings
from worker.engine.networks.flipnet import SHAPES, initial_weights
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.stack.hyper_parameters import HyperParameterTable

# Four epochs of FlipNet. A wrong term changes the weights from its first use on, and in 64 updates every term is used:
# steps of Rprop reach both limits, the largest square of AMSGrad is an older one, RAdam has rectified.
UPDATES = 64


def test_every_kind_has_a_counterpart_and_hyper_parameters():
    assert set(TWINS) == set(SETTINGS) == set(OPTIMIZERS)
    for kind, optimizer in OPTIMIZERS.items():
        assert set(SETTINGS[kind]) == {*optimizer.hyper_parameters, *optimizer.flags} - {"lr", "maximize"}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", OPTIMIZERS)
@settings(max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_every_run_of_a_stack_equals_its_own_loop_in_another_program(kind, data):
    runs = data.draw(drawn(kind))
    seeds = [0, 1, 2]
    optimizers = scaled(kind, "flipnet", runs)
    weights_DR = final_weights(FlipNet(seeds, batch_size=1), optimizers, math.ceil(UPDATES / 16))
    for run, optimizer in enumerate(optimizers):
        losses = [flipnet_loss([image]) for image in range(16)] * math.ceil(UPDATES / 16)
        expected = torch_loop(initial_weights(seeds[run]).double(), losses, optimizer, SHAPES)[0]
        assert_equal(weights_DR[:, run], expected)
    if kind not in ON_POINTS:
        return

    starts = [[-1.2, 1.0], [0.5, -0.5], [1.5, 1.0]]
    optimizers = scaled(kind, "rosenbrock", runs)
    weights_DR = final_weights(surface(ROSENBROCK, starts), optimizers, UPDATES)
    for run, optimizer in enumerate(optimizers):
        start = torch.tensor(starts[run], dtype=torch.float64)
        assert_equal(weights_DR[:, run], torch_loop(start, [rosenbrock] * UPDATES, optimizer)[0])

    # Away from the minimum: with tiny gradients, methods like Adam divide by small numbers and are unstable.
    starts = np.random.default_rng(0).uniform(1, 2, size=(3, 10))
    optimizers = scaled(kind, "quadratic", runs)
    weights_DR = final_weights(Quadratic(EIGENVALUES, starts, seeds), optimizers, UPDATES)
    for run, optimizer in enumerate(optimizers):
        losses = [quadratic_loss] * UPDATES
        assert_equal(weights_DR[:, run], torch_loop(torch.from_numpy(starts[run]), losses, optimizer)[0])


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_maximize_climbs_as_other_programs_do(kind):
    given_settings = {"lr": 0.01 * UNITS.get(kind, 1.0), "maximize": True}
    if "weight_decay" in OPTIMIZERS[kind].hyper_parameters:
        given_settings["weight_decay"] = 0.1
    optimizer = (kind, given_settings)
    if kind not in ON_POINTS:
        weights_DR = final_weights(FlipNet([0], batch_size="full"), [optimizer], 30)
        losses = [flipnet_loss(range(16))] * 30
        start = initial_weights(0).double()
        assert_equal(weights_DR[:, 0], torch_loop(start, losses, optimizer, SHAPES)[0])
        assert losses[0](torch.from_numpy(weights_DR[:, 0])) > losses[0](start)
        return
    weights_DR = final_weights(Quadratic(EIGENVALUES, np.ones((1, 10)), [0]), [optimizer], 30)
    assert_equal(weights_DR[:, 0], torch_loop(torch.ones(10, dtype=torch.float64), [quadratic_loss] * 30, optimizer)[0])
    assert (weights_DR[:, 0] > 1).all()


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_defaults_are_those_of_other_programs(kind):
    twin = TWINS[kind]([torch.zeros(1), torch.zeros(1, 1)], lr=0.1, **twin_settings(kind, {}))
    found: dict[str, object] = {}
    for part in (twin.muon, twin.adamw) if kind == "muon" else (twin,):
        group = {**part.defaults, **part.param_groups[0]}
        if kind == "muon" and part is twin.adamw:
            group = {"adamw_" + name if name in ("lr", "weight_decay") else name: group[name] for name in group}
        found |= group
    if kind == "adafactor":
        found["eps2"] = found["eps"][1]
    for pair, names in PAIRS.items():
        found |= dict(zip(names, found.get(pair, ()), strict=False))
    values = defaults(kind)
    for name in OPTIMIZERS[kind].hyper_parameters:
        if name != "lr":
            assert values[name] == found[name], name
    for name in OPTIMIZERS[kind].flags:
        if values[name]:
            assert found[name] is True


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_descends(kind):
    optimizer = (kind, {"lr": (0.01 if kind in DESCENT else 0.1) * (20 if kind == "adadelta" else 1)})
    if kind in ON_POINTS:
        history = train(surface("x**2 + 10*y**2", [[5, 2]]), [optimizer], 300)
    else:
        history = train(FlipNet([1], batch_size="full"), [optimizer], 300)
    assert history["loss"][-1, 0] < (0.2 if kind in ON_POINTS else 0.5) * history["loss"][0, 0]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_an_update_keeps_dtype_and_shape_and_changes_nothing_in_place(kind, dtype):
    optimizer = OPTIMIZERS[kind]
    flags = {flag: flag != "maximize" for flag in optimizer.flags}
    numbers = dict.fromkeys(optimizer.hyper_parameters, 0.5)
    (group,) = group_runs([(kind, {**numbers, **flags})], np.zeros(32, int))
    table = HyperParameterTable(group, np.arange(32), dtype, torch.device("cpu"))
    names = optimizer.state_names(group.terms)
    assert optimizer.state_per_parameter(group.terms) == len(names) - len(optimizer.run_state)
    shapes = ((2, 2), (1,))
    step = optimizer.for_shapes(shapes)
    weights = torch.rand(5, 32, dtype=dtype)
    gradient = torch.rand(5, 32, dtype=dtype)
    state = {name: torch.ones(optimizer.state_size(name, shapes), 32, dtype=dtype) for name in names}
    given_to_it = [weights, gradient, *state.values()]
    before = [tensor.clone() for tensor in given_to_it]
    for update in (0, 1, 70):
        after, new_state = step(weights, gradient, state, table.coefficients(update), group.terms)
        assert new_state.keys() == state.keys()
        assert (after.dtype, after.shape) == (dtype, weights.shape)
        for name, tensor in new_state.items():
            assert (tensor.dtype, tensor.shape) == (dtype, state[name].shape)
        assert not torch.equal(after, weights)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(given_to_it, before, strict=True))


def test_the_state_that_each_method_keeps_is_what_theory_says():
    assert {kind: optimizer.state_per_parameter() for kind, optimizer in OPTIMIZERS.items()} == {
        **dict.fromkeys(("sgd", "sign_sgd"), 0),
        **dict.fromkeys(("momentum", "nesterov", "quasi_hyperbolic", "asgd", "rmsprop", "adagrad", "lion", "lars"), 1),
        **dict.fromkeys(("adafactor", "schedule_free_sgd"), 1),
        **dict.fromkeys(("adam", "adamw", "nadam", "radam", "adamax", "adadelta", "rprop", "lamb", "muon"), 2),
        "schedule_free_adamw": 2,
    }
    # Of a matrix Adafactor keeps row and column means, and Muon one velocity.
    assert OPTIMIZERS["adafactor"].state_size("variance", SHAPES) == 7 + 3 + 7 + 4
    assert OPTIMIZERS["muon"].state_size("square", SHAPES) == 3 + 4
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


@pytest.mark.parametrize("runs_first", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in OPTIMIZERS if OPTIMIZERS[kind].by_tensor])
def test_tensors_of_any_number_of_axes_are_updated_as_in_other_programs(kind, runs_first):
    """Kernels of a convolution have four axes; networks of digits have runs first in memory."""
    shapes = ((2, 3, 4, 5), (6, 2), (7,))
    num = 120 + 12 + 7
    (group,) = group_runs([(kind, {"lr": 0.05})], np.zeros(32, int))
    table = HyperParameterTable(group, np.arange(32), torch.float64, torch.device("cpu"))
    step = OPTIMIZERS[kind].for_shapes(shapes)
    generator = torch.Generator().manual_seed(0)
    start_RD, target_RD = torch.randn(2, 32, num, dtype=torch.float64, generator=generator)
    weights_DR, target_DR = (start_RD.T, target_RD.T) if runs_first else (start_RD.T.contiguous(), target_RD.T)
    names = OPTIMIZERS[kind].state_names(group.terms)
    state = {name: torch.zeros(OPTIMIZERS[kind].state_size(name, shapes), 32, dtype=torch.float64) for name in names}
    for update in range(5):
        weights_DR, state = step(
            weights_DR, 2 * (weights_DR - target_DR), state, table.coefficients(update), group.terms
        )
    for run in (0, 31):
        losses = [lambda weights, run=run: ((weights - target_RD[run]) ** 2).sum()] * 5
        expected = torch_loop(start_RD[run], losses, (kind, {"lr": 0.05}), shapes)[0]
        assert_equal(weights_DR[:, run].numpy(), expected)
