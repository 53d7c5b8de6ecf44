"""The contract that every optimizer of the registry meets."""

import math

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.engine.training import flat, flipnet_loss, rosenbrock, surface, torch_loop, torch_twin, torch_update, train
from tests.engine.twins import PAIRS, TWINS, twin_settings
from worker.engine.groups import group_runs
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.problems.flipnet import SHAPES, initial_weights
from worker.engine.settings import SettingsTable
from worker.engine.trainer import Plan, Trainer

UPDATES = 200
ROSENBROCK = "(1 - x)**2 + 100*(y - x**2)**2"
EIGENVALUES = np.linspace(0.5, 10, 10)
DESCENT = ("sgd", "momentum", "nesterov", "quasi_hyperbolic", "asgd", "schedule_free_sgd", "lars")
# What a rate of one kind is multiplied by to be like that of its neighbours.
UNITS = {"adadelta": 50.0, "adafactor": 2.0, "lion": 0.3, "sign_sgd": 0.3}
ON_POINTS = [kind for kind in OPTIMIZERS if not OPTIMIZERS[kind].needs_matrices]
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
DECAY = sometimes(number(1e-4, 0.1))
ADAM = {
    "beta1": number(0.5, 0.95),
    "beta2": number(0.99, 0.9999),
    "eps": number(1e-10, 1e-3),
    "weight_decay": DECAY,
}
SCHEDULE_FREE = {"weight_decay": DECAY, "r": sometimes(number(0.1, 2.0)), "weight_lr_power": number(0.0, 2.0)}
SETTINGS = {
    "sgd": HEAVY_BALL,
    "momentum": HEAVY_BALL,
    "nesterov": {"momentum": number(0.1, 0.9), "weight_decay": DECAY},
    "quasi_hyperbolic": {"momentum": number(0.1, 0.999), "nu": number(0.0, 1.0), "weight_decay": DECAY},
    "asgd": {
        "lambd": number(0.0, 0.1),
        "alpha": number(0.3, 1.0),
        "t0": number(0.0, 150.0),
        "weight_decay": DECAY,
    },
    "adam": {**ADAM, "amsgrad": st.booleans(), "decoupled_weight_decay": st.booleans()},
    "adamw": {**ADAM, "amsgrad": st.booleans()},
    "nadam": {**ADAM, "momentum_decay": number(0.0, 0.1), "decoupled_weight_decay": st.booleans()},
    "radam": {**ADAM, "decoupled_weight_decay": st.booleans()},
    "adamax": ADAM,
    "adagrad": {
        "lr_decay": sometimes(number(1e-4, 0.1)),
        "weight_decay": DECAY,
        "initial_accumulator_value": sometimes(number(0.01, 1.0)),
        "eps": number(1e-10, 1e-3),
    },
    "adadelta": {"rho": number(0.5, 0.99), "eps": number(1e-7, 1e-4), "weight_decay": DECAY},
    "rmsprop": {
        "alpha": number(0.98, 0.999),
        "eps": number(1e-8, 1e-3),
        "weight_decay": DECAY,
        "momentum": sometimes(number(0.1, 0.9)),
        "centered": st.booleans(),
    },
    "rprop": {
        "eta_minus": number(0.3, 0.7),
        "eta_plus": number(1.05, 1.4),
        "step_min": number(1e-7, 1e-4),
        "step_max": number(0.01, 1.0),
    },
    "adafactor": {
        "beta2_decay": number(-1.0, -0.3),
        "eps2": number(1e-4, 1e-2),
        "d": number(1.0, 2.0),
        "weight_decay": DECAY,
    },
    "sign_sgd": {"momentum": sometimes(number(0.1, 0.95)), "weight_decay": DECAY},
    "lion": {"beta1": number(0.5, 0.95), "beta2": number(0.9, 0.999), "weight_decay": DECAY},
    "schedule_free_sgd": {"momentum": number(0.5, 0.98), **SCHEDULE_FREE},
    "schedule_free_adamw": {**ADAM, "beta1": number(0.5, 0.95), **SCHEDULE_FREE},
    "lars": {
        "momentum": sometimes(number(0.1, 0.95)),
        "weight_decay": DECAY,
        "trust_coefficient": number(0.001, 0.1),
        "nesterov": st.booleans(),
    },
    "lamb": ADAM,
    "muon": {
        **ADAM,
        "momentum": number(0.5, 0.98),
        "adamw_lr": number(1e-4, 1e-2),
        "adamw_weight_decay": DECAY,
        "nesterov": st.booleans(),
        "match_rms_adamw": st.booleans(),
    },
}


def drawn(kind: str) -> st.SearchStrategy[list[dict[str, float | bool]]]:
    """Settings of three runs; lr as a share of the largest rate."""
    return st.lists(st.fixed_dictionaries({"lr": number(0.05, 1.0), **SETTINGS[kind]}), min_size=3, max_size=3)


def scaled(kind: str, problem: str, runs: list[dict[str, float | bool]]) -> list[tuple[str, dict[str, float | bool]]]:
    largest = LARGEST_RATE[problem][0 if kind in DESCENT else 1] * UNITS.get(kind, 1.0)
    return [(kind, {**run, "lr": run["lr"] * largest}) for run in runs]


def final_weights(problem, optimizers, epochs):
    trainer = Trainer(Plan(problem, group_runs(optimizers, range(len(optimizers))), epochs))
    *_, last = trainer.run()
    assert last.number == epochs, "no run may diverge here"
    return trainer.checkpoint()["weights"]


def assert_equal(found_D: np.ndarray, expected_D: torch.Tensor) -> None:
    scale = expected_D.abs().max().item()
    np.testing.assert_allclose(found_D, expected_D.numpy(), rtol=1e-9, atol=1e-9 * scale)


def quadratic_loss(weights: torch.Tensor) -> torch.Tensor:
    return (torch.from_numpy(EIGENVALUES) * weights**2).sum() / 2


def test_every_kind_has_its_twin_and_its_settings():
    assert set(TWINS) == set(SETTINGS) == set(OPTIMIZERS)
    for kind, optimizer in OPTIMIZERS.items():
        assert set(SETTINGS[kind]) == {*optimizer.settings, *optimizer.flags} - {"lr", "maximize"}


@pytest.mark.parametrize("kind", OPTIMIZERS)
@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
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

    starts = np.random.default_rng(0).normal(size=(3, 10))
    optimizers = scaled(kind, "quadratic", runs)
    weights_DR = final_weights(Quadratic(EIGENVALUES, starts, seeds), optimizers, UPDATES)
    for run, optimizer in enumerate(optimizers):
        losses = [quadratic_loss] * UPDATES
        assert_equal(weights_DR[:, run], torch_loop(torch.from_numpy(starts[run]), losses, optimizer)[0])


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_maximize_climbs_as_other_programs_do(kind):
    given_settings = {"lr": 0.01 * UNITS.get(kind, 1.0), "maximize": True}
    if "weight_decay" in OPTIMIZERS[kind].settings:
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


@pytest.mark.parametrize("clipping", [{"clip_norm": 0.7}, {"clip_value": 0.2}, {"clip_norm": 0.5, "clip_value": 0.3}])
@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_gradients_are_clipped_as_torch_clips_them(kind, clipping):
    optimizer = (kind, {"lr": 0.01, "weight_decay": 0.01})
    history = final_weights(FlipNet([0, 1], batch_size="full"), [(kind, {**optimizer[1], **clipping}), optimizer], 60)
    expected = []
    for seed, limits in ((0, clipping), (1, {})):
        parameters, twin = torch_twin(initial_weights(seed).double(), optimizer, SHAPES)
        for _ in range(60):
            twin.zero_grad()
            flipnet_loss(range(16))(flat(parameters)).backward()
            if "clip_value" in limits:
                torch.nn.utils.clip_grad_value_(parameters, limits["clip_value"])
            if "clip_norm" in limits:
                torch.nn.utils.clip_grad_norm_(parameters, limits["clip_norm"])
            twin.step()
        expected.append(flat(parameters).detach())
    for run in range(2):
        assert_equal(history[:, run], expected[run])


def test_clipping_bounds_the_step_of_gradient_descent():
    history = train(surface("x**2 + 10*y**2", [[5, 2]]), [("sgd", {"lr": 0.1, "clip_norm": 1.0})], 20)
    assert history["update_norm"][1:21].max() <= 0.1
    history = train(surface("x**2 + 10*y**2", [[5, 2]]), [("sgd", {"lr": 0.1, "clip_value": 1.0})], 5)
    np.testing.assert_allclose(history["x"][:, 0], [5, 4.9, 4.8, 4.7, 4.6, 4.5])


@pytest.mark.parametrize("kind", ["asgd", "schedule_free_sgd", "schedule_free_adamw"])
def test_a_history_tells_of_the_point_that_a_method_answers_with(kind):
    given_settings = {"lr": 0.01, **({"t0": 10.0} if kind == "asgd" else {})}
    start = np.array([[1.0, -2.0]])
    neighbour = ("sgd", {"lr": 0.01})
    problem = Quadratic([1.0, 9.0], np.concatenate([start, start]), [0, 0], noise=0.0)
    history = train(problem, [(kind, given_settings), neighbour], 40)
    parameters, twin = torch_twin(torch.from_numpy(start[0]), (kind, given_settings))
    points = [start[0]]
    for _ in range(40):
        torch_update(parameters, twin, lambda weights: (torch.tensor([1.0, 9.0]) * weights**2).sum() / 2)
        if kind == "asgd":
            points.append(twin.state[parameters[0]]["ax"].numpy().copy())
        else:
            (y,) = (parameter.detach().clone() for parameter in parameters)
            twin.eval()
            points.append(parameters[0].detach().numpy().copy())
            with torch.no_grad():
                parameters[0].copy_(y)
                if hasattr(twin, "train") and kind == "schedule_free_sgd":
                    twin.param_groups[0]["train_mode"] = True
    points = np.array(points)
    np.testing.assert_allclose(np.stack([history["x"][:, 0], history["y"][:, 0]], 1), points, rtol=1e-9)
    np.testing.assert_allclose(history["loss"][:, 0], (points**2 @ [1, 9]) / 2, rtol=1e-9)
    np.testing.assert_allclose(history["grad_norm"][:, 0], np.hypot(points[:, 0], 9 * points[:, 1]), rtol=1e-9)
    moves = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(history["update_norm"][1:, 0], moves, rtol=1e-7)
    np.testing.assert_allclose(history["distance_from_start"][:, 0], np.linalg.norm(points - start, axis=1), rtol=1e-9)
    alone = train(Quadratic([1.0, 9.0], start, [0]), [neighbour], 40)
    np.testing.assert_array_equal(history["loss"][:, 1], alone["loss"][:, 0])
    np.testing.assert_array_equal(history["train_loss"][:, 1], alone["train_loss"][:, 0])


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
    defaults = OPTIMIZERS[kind].settings
    assert math.isnan(defaults["lr"]), "lr is required"
    for name in defaults.keys() - {"lr"}:
        assert defaults[name] == found[name], name
    for name in OPTIMIZERS[kind].flags_on:
        assert found[name] is True


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_descends(kind):
    optimizer = (kind, {"lr": (0.01 if kind in DESCENT else 0.1) * (20 if kind == "adadelta" else 1)})
    if kind in ON_POINTS:
        history = train(surface("x**2 + 10*y**2", [[5, 2]]), [optimizer], 300)
    else:
        history = train(FlipNet([1], batch_size="full"), [optimizer], 300)
    assert history["loss"][-1, 0] < (0.2 if kind in ON_POINTS else 0.5) * history["loss"][0, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_an_update_keeps_dtype_and_shape_and_changes_nothing_in_place(kind, dtype):
    optimizer = OPTIMIZERS[kind]
    flags = {flag: flag != "maximize" for flag in optimizer.flags}
    numbers = dict.fromkeys(optimizer.settings, 0.5)
    (group,) = group_runs([(kind, {**numbers, **flags})], np.zeros(32, int))
    table = SettingsTable(group, np.arange(32), dtype, torch.device("cpu"))
    names = optimizer.state_names(group.terms)
    assert optimizer.state_per_parameter(group.terms) == len(names) - len(optimizer.run_state)
    shapes = ((2, 2), (1,))
    step = optimizer.for_shapes(shapes)
    weights = torch.rand(5, 32, dtype=dtype)
    gradient = torch.rand(5, 32, dtype=dtype)
    state = {name: torch.ones(optimizer.num_rows(name, shapes), 32, dtype=dtype) for name in names}
    given_to_it = [weights, gradient, *state.values()]
    before = [tensor.clone() for tensor in given_to_it]
    for update in (0, 1, 70):
        after, new_state = step(weights, gradient, state, table.rows(update), group.terms)
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
    assert OPTIMIZERS["adafactor"].num_rows("variance", SHAPES) == 7 + 3 + 7 + 4
    assert OPTIMIZERS["muon"].num_rows("square", SHAPES) == 3 + 4
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


def test_muon_needs_a_problem_with_matrices():
    with pytest.raises(ValueError, match="muon needs a problem with matrices"):
        Plan(Quadratic(EIGENVALUES, np.ones((1, 10)), [0]), group_runs([("muon", {"lr": 0.1})], [0]), 1)
