"""Update rules of users compute what plain loops compute, one run at a time."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from service.spec.job import JobSpec
from tests.groups import group_runs
from tests.rules import RULES, own, settings_of
from tests.worker.engine.training import ROSENBROCK, History, flipnet_loss, rosenbrock, surface
from worker.engine.networks.flipnet import SHAPES, initial_weights
from worker.engine.numerics.random import UPDATES, normals
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.protocols import Problem
from worker.engine.trainer import Plan, Trainer
from worker.plan import plan

NUM = 60
Loop = Callable[[int, np.ndarray, np.ndarray, dict[str, Any], np.ndarray], np.ndarray]


def pieces(values: np.ndarray) -> list[np.ndarray]:
    """The tensors of FlipNet, or one vector."""
    sizes = [math.prod(shape) for shape in SHAPES]
    return np.split(values, np.cumsum(sizes)[:-1]) if len(values) == sum(sizes) else [values]


def by_tensor(values: np.ndarray, function: Callable[[np.ndarray], float]) -> np.ndarray:
    return np.concatenate([np.full(len(piece), function(piece)) for piece in pieces(values)])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def noisy_heavy_ball(t, w, g, memory, normal, lr=0.01):
    v = memory["v"] = 0.8 * memory.get("v", 0) + g + 0.02 * normal
    return w - lr * v


def centralised(t, w, g, memory, normal, lr=0.01):
    v = memory["v"] = 0.9 * memory.get("v", 0) + g - by_tensor(g, np.mean)
    return w - lr * v


def normalised(t, w, g, memory, normal, lr=0.01):
    return w - lr * g / (np.linalg.norm(g) + 1e-3)


def layers(t, w, g, memory, normal, lr=0.01):
    start = memory.setdefault("start", w)
    m = memory["m"] = 0.3 * g + 0.7 * memory.get("m", 0)
    of_w, of_m = by_tensor(w, np.linalg.norm), by_tensor(m, np.linalg.norm)
    return w - lr * np.where(of_w > 0.1, of_w / (of_m + 1e-6), 1) * m - lr * 0.01 * (w - start)


def belief(t, w, g, memory, normal, lr=0.01):
    m = memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    s = memory["s"] = 0.99 * memory.get("s", 0) + 0.01 * (g - m) ** 2 + 1e-6
    return w - lr * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.99**t)) + 1e-6)


def fractional(t, w, g, memory, normal, lr=0.01):
    s = memory["s"] = 0.97 * memory.get("s", 1e-4) + 0.03 * np.abs(g) ** 1.7
    return w - lr * sigmoid(3 * t / (t + 10)) * np.tanh(g) / (s**0.37 + 0.1 * math.exp(-t / 20))


def aligned(t, w, g, memory, normal, lr=0.01):
    before = memory.get("previous", np.zeros_like(g))
    same = g @ before / (np.linalg.norm(g) * np.linalg.norm(before) + 1e-12)
    memory["rate"] = min(max(memory.get("rate", 1.0) * (1.1 if same >= 0 else 0.6), 0.1), 5)
    memory["previous"] = g
    return w - lr * memory["rate"] * g


def cautious(t, w, g, memory, normal, lr=0.01):
    m = memory.get("m", np.zeros_like(g))
    u = np.sign(0.9 * m + 0.1 * g)
    agree = (u * g > 0).astype(float)
    memory["m"] = 0.95 * m + 0.05 * g
    return w - lr * u * agree / max(agree.mean(), 0.1)


def yogi(t, w, g, memory, normal, lr=0.01):
    m = memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    before = memory.get("v", 1e-6)
    v = memory["v"] = before - 0.01 * np.sign(before - g**2) * g**2
    return w - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)


def quasi_hyperbolic_adam(t, w, g, memory, normal, lr=0.01):
    m = memory["m"] = 0.95 * memory.get("m", 0) + 0.05 * g
    v = memory["v"] = 0.98 * memory.get("v", 0) + 0.02 * g**2
    a, b = m / (1 - 0.95**t), v / (1 - 0.98**t)
    return w - lr * (0.3 * g + 0.7 * a) / (np.sqrt(0.05 * g**2 + 0.95 * b) + 1e-6)


def signum(t, w, g, memory, normal, lr=0.01):
    m = memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    return (1 - lr * 0.1) * w - lr * np.sign(m) * by_tensor(np.abs(m), np.mean)


def adan(t, w, g, memory, normal, lr=0.01):
    change = g - memory.get("before", g)
    m = memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    d = memory["d"] = 0.8 * memory.get("d", 0) + 0.2 * change
    v = memory["v"] = 0.95 * memory.get("v", 0) + 0.05 * (g + 0.8 * change) ** 2
    memory["before"] = g
    return (w - lr / (np.sqrt(v) + 1e-6) * (m + 0.8 * d)) / (1 + lr * 0.02)


LOOPS: dict[str, Loop] = {
    "noisy heavy ball": noisy_heavy_ball,
    "centralised": centralised,
    "normalised": normalised,
    "layers": layers,
    "belief": belief,
    "fractional": fractional,
    "aligned": aligned,
    "cautious": cautious,
    "yogi": yogi,
    "quasi-hyperbolic adam": quasi_hyperbolic_adam,
    "signum": signum,
    "adan": adan,
}


def looped(name: str, start: torch.Tensor, losses: Sequence[Any], seed: int, **options: Any) -> np.ndarray:
    """The weights after one update for each loss, by a plain loop."""
    w, memory = start.double().numpy(), {}
    for t, loss_of in enumerate(losses, start=1):
        point = torch.from_numpy(w.copy()).requires_grad_()
        loss_of(point).backward()
        assert point.grad is not None
        normal = normals(np.array([seed]), UPDATES, np.array([t - 1]), len(w))[0, :, 0]
        w = LOOPS[name](t, w, point.grad.numpy(), memory, normal, **options)
    return w


def trained(problem: Problem, optimizers: Sequence[tuple[str, Any]], epochs: int, **more: Any) -> Trainer:
    trainer = Trainer(Plan(problem, group_runs(optimizers, range(len(optimizers))), epochs, **more))
    *_, last = trainer.run()
    assert last is not None
    assert last.number == epochs
    return trainer


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("name", RULES)
def test_a_rule_trains_flipnet_and_a_valley_as_a_plain_loop_does(name: str) -> None:
    rates = [0.002, 0.01]
    weights_DR = trained(FlipNet([3, 4]), [own(name, lr) for lr in rates], 4).checkpoint()["weights"]
    for run, (seed, lr) in enumerate(zip([3, 4], rates, strict=True)):
        losses = [flipnet_loss([image]) for image in range(16)] * 4
        expected = looped(name, initial_weights(seed), losses[:64], seed, lr=lr)
        np.testing.assert_allclose(weights_DR[:, run], expected, rtol=1e-8, atol=1e-8)
    # In one dimension after another the rates of Rosenbrock's valley differ, so its runs have rates of their own.
    rates = [0.0005, 0.001]
    starts = [[-1.2, 1.0], [0.5, 0.5]]
    problem = surface(ROSENBROCK, starts, seeds=[3, 4])
    weights_DR = trained(problem, [own(name, lr) for lr in rates], NUM).checkpoint()["weights"]
    for run, (seed, lr) in enumerate(zip([3, 4], rates, strict=True)):
        start = torch.tensor(starts[run], dtype=torch.float64)
        expected = looped(name, start, [rosenbrock] * NUM, seed, lr=lr)
        np.testing.assert_allclose(weights_DR[:, run], expected, rtol=1e-9, atol=1e-9)


def test_schedules_multiply_the_rate_and_the_parameter_named_momentum() -> None:
    rule = {
        "kind": "formula", "lr": 0.02, "state": {"v": 0}, "parameters": {"beta": 0.9}, "momentum": "beta",
        "update": ["v = beta*v + g", "w = w - lr*v"],
    }  # fmt: skip
    schedules = {
        "schedule": {"kind": "cosine", "warmup_steps": 5},
        "momentum_schedule": {"kind": "exponential", "factor": 0.95},
    }
    entries = [{**rule, **schedules}, {"kind": "momentum", "lr": 0.02, "momentum": 0.9, **schedules}]
    spec = JobSpec.model_validate({"problem": {"kind": "flipnet"}, "optimizers": entries, "epochs": 6})
    trainer = Trainer(plan(spec, 0, 2))
    history = History(trainer, [epoch for epoch in trainer.run() if epoch])
    for field in trainer.fields:
        np.testing.assert_array_equal(history[field][:, 0], history[field][:, 1], field)
    assert history["momentum"][1, 0] != history["momentum"][2, 0]


def test_the_gradient_of_a_rule_is_clipped_averaged_and_turned_round_before_it_is_read() -> None:
    rule = {"kind": "formula", "lr": 0.5, "update": ["w = w - lr*g"]}
    problem = Quadratic([1.0, 4.0], np.array([[1.0, 1.0]] * 3), [0, 0, 0])
    runs = [{**rule, "clip_norm": 0.1}, {**rule, "clip_value": 0.2}, {**rule, "maximize": True}]
    weights_DR = trained(problem, [("formula", settings_of(one)) for one in runs], 1).checkpoint()["weights"]
    unit = np.array([1.0, 4.0]) / np.sqrt(17)
    np.testing.assert_allclose(weights_DR.T, [1 - 0.05 * unit, [0.9, 0.9], [1.5, 3.0]], rtol=1e-5)
    plain = [("formula", settings_of(rule)), ("sgd", {"lr": 0.5})]
    accumulated = trained(FlipNet([1, 1], batch_size=2), plain, 3, accumulate=3).checkpoint()["weights"]
    np.testing.assert_array_equal(accumulated[:, 0], accumulated[:, 1])


def test_normal_is_one_number_per_seed_update_and_component_whatever_the_rule_and_accumulate() -> None:
    walk = {"kind": "formula", "lr": 0.01, "update": ["w = w + normal - 0*g"]}
    twice = {"kind": "formula", "lr": 0.3, "update": ["a = normal", "w = w + 0.5*normal + 0.5*a"]}
    runs = [("formula", settings_of(one)) for one in (walk, twice, walk)]
    for accumulate in (1, 4):
        trainer = trained(FlipNet([7, 7, 8], batch_size=4), runs, 2, accumulate=accumulate)
        moved_DR = trainer.checkpoint()["weights"] - np.stack([initial_weights(seed) for seed in (7, 7, 8)], 1)
        num = 8 // accumulate
        for run, seed in enumerate((7, 7, 8)):
            expected = normals(np.array([seed]), UPDATES, np.arange(num), 31)[:, :, 0].sum(0)
            np.testing.assert_allclose(moved_DR[:, run], expected, atol=1e-12)


def test_normal_numbers_are_standard_normal_and_those_of_no_other_stream() -> None:
    drawn = normals(np.arange(200), UPDATES, np.arange(20), 10).ravel()
    assert abs(drawn.mean()) < 4 / np.sqrt(len(drawn))
    assert abs(drawn.std() - 1) < 0.02
    for stream in range(UPDATES):
        other = normals(np.arange(200), stream, np.arange(20), 10).ravel()
        assert abs(np.corrcoef(drawn, other)[0, 1]) < 4 / np.sqrt(len(drawn))


def test_what_depends_on_parameters_and_time_only_is_computed_in_float64_and_rounded_once() -> None:
    # In float32, 1 − b**t is 0 for a b this close to 1, and the quotient infinite.
    rule = {
        "kind": "formula", "lr": 1.0, "parameters": {"b": 1 - 1e-12},
        "update": ["w = w - lr*1e-12*t/(1 - b**t)*g"],
    }  # fmt: skip
    problem = Quadratic([1.0], np.array([[3.0]]), [0])
    trainer = trained(problem, [("formula", settings_of({**rule, "lr": 0.25}))], 2, dtype="float32")
    np.testing.assert_allclose(trainer.checkpoint()["weights"], [[3 * 0.75**2]], rtol=1e-3)


def test_results_that_no_matrix_enters_fill_the_matrix() -> None:
    rule = {
        "kind": "formula", "lr": 0.5, "state": {"a": "w", "b": 2, "c": 0, "start": "w"},
        "update": ["a = lr", "b = norm(b)", "c = tensor_mean(start)", "w = t"],
    }  # fmt: skip
    trainer = trained(FlipNet([0]), [("formula", settings_of(rule))], 1)
    arrays = trainer.checkpoint()
    assert (arrays["weights"] == 16).all()
    assert (arrays["state/0/a"] == 0.5).all()
    np.testing.assert_allclose(arrays["state/0/b"], 2 * np.sqrt(31.0) ** 16)
    start = initial_weights(0).double().numpy()
    np.testing.assert_array_equal(arrays["state/0/start"][:, 0], start)
    np.testing.assert_allclose(arrays["state/0/c"][:, 0], by_tensor(start, np.mean))
