"""Compiled programs give the histories of torch, bit for bit."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from service.spec.formulas.expression import parse
from service.spec.surfaces import SURFACES
from tests.groups import group_runs
from tests.rules import RULES, own, settings_of
from tests.worker.engine.equal_bits import EPOCHS, NUM, assert_equal, entries, landscape, same
from tests.worker.engine.training import EIGENVALUES, ROSENBROCK, surface
from worker.engine.fused.requests import Engine
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.protocols import Problem, Shift
from worker.engine.stack.plan import Epoch, Plan
from worker.engine.stack.schedule import Schedule
from worker.engine.trainer import Trainer

pytest.importorskip("llvmlite")

# Functions of these surfaces are torch's alone.
WITH_TORCH = ("sin", "cos", "tan", "exp", "log", "tanh", "**0.", "sqrt")


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    "name", [name for name, one in SURFACES.items() if not any(f in one.formula for f in WITH_TORCH)]
)
def test_every_surface_without_functions_of_torch_is_compiled(name: str) -> None:
    problem = landscape(SURFACES[name].formula, minima=SURFACES[name].minima)
    same(problem, entries("nesterov"), measure=("alpha", "velocity_norm"))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "kind", ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad", "lion", "rprop"]
)
def test_optimizers_train_in_both_dtypes(kind: str, dtype: str) -> None:
    same(landscape(ROSENBROCK), entries(kind), dtype=dtype, record_every=7)


def test_every_kind_is_compiled_or_left_to_torch_with_a_reason() -> None:
    compiled = set()
    for kind in OPTIMIZERS.keys() - {"formula"}:
        optimizers = [(kind, {"lr": 0.01})] * 3
        try:
            plan = Plan(Quadratic(EIGENVALUES, np.ones((3, 10)), np.arange(3)), group_runs(optimizers, range(3)), 5)
        except ValueError:  # It needs matrices.
            continue
        trainer = Trainer(plan, engine="compiled")
        assert_equal(list(trainer.run()), list(Trainer(plan, engine="torch").run()))
        assert (trainer.num_compiled_epochs == 5) == (trainer.reason is None)
        compiled |= {kind} if trainer.reason is None else set()
    assert compiled >= {
        "sgd",
        "momentum",
        "nesterov",
        "adam",
        "adamw",
        "nadam",
        "adamax",
        "adadelta",
        "lion",
        "rmsprop",
    }


@pytest.mark.parametrize("options", [{"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01}, {"maximize": True}])
@pytest.mark.parametrize("clipping", [{}, {"clip_value": 0.5}])
def test_terms_of_an_optimizer(options: dict[str, Any], clipping: dict[str, float]) -> None:
    same(landscape(ROSENBROCK), entries("sgd", **options, **clipping))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("eigenvalues", [[2.0], [1.0, 100.0], EIGENVALUES.tolist(), np.linspace(0.1, 9, 40).tolist()])
def test_quadratics_of_any_dimension(eigenvalues: list[float]) -> None:
    starts = np.random.default_rng(2).standard_normal((NUM, len(eigenvalues)))
    same(Quadratic(np.array(eigenvalues), starts, np.arange(NUM)), entries("adam"), measure=("sharpness", "alpha"))


def test_a_turned_quadratic_with_accumulated_gradients() -> None:
    starts = np.random.default_rng(3).standard_normal((NUM, 2))
    problem = Quadratic(np.array([1.0, 30.0]), starts, np.arange(NUM), angle=30.0)
    same(problem, entries("momentum", momentum=0.9), accumulate=3, epochs=200)


def test_infinite_undefined_and_tiny_numbers() -> None:
    special = (0.0, -0.0, np.nan, np.inf, -np.inf, 1e200, 1e-160, 5e-324, 1.0)
    starts = [(x, y) for x in special for y in special]
    for dtype in ("float32", "float64"):
        for kind in ("momentum", "adam"):
            same(surface("x**2*y + 1e-150*x**3 + y**2", starts), entries(kind, len(starts)), dtype=dtype)


def test_several_groups_with_schedules() -> None:
    optimizers = [entries("momentum", 3)[2], entries("adam", 3)[1], entries("sgd", 3)[0]] * 70
    cosine = Schedule("cosine", (("decay_steps", 25.0), ("final_fraction", 0.1)), warmup_steps=5)
    schedules = [(cosine, Schedule()), (Schedule(), cosine), (Schedule(), Schedule())] * 70
    same(landscape(ROSENBROCK, 210), optimizers, schedules=schedules, epochs=150)


@pytest.mark.parametrize("is_interleaved", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optimizers_with_and_without_momentum_beside_each_other(is_interleaved: bool, dtype: str) -> None:
    groups = [entries("momentum", 70), entries("adagrad", 33), entries("nesterov", 40)]
    optimizers = [one for group in groups for one in group]
    if is_interleaved:
        optimizers = optimizers[::2] + optimizers[1::2]
    same(landscape(ROSENBROCK, 143), optimizers, dtype=dtype, record_every=3)
    same(landscape(ROSENBROCK, 143), optimizers, dtype=dtype)


@pytest.mark.parametrize("name", [name for name in RULES if name not in ("noisy heavy ball", "fractional", "layers")])
def test_rules_of_users(name: str) -> None:
    problem, optimizers = landscape(ROSENBROCK), [own(name, lr) for lr in np.geomspace(1e-4, 0.1, NUM)]
    plan = Plan(problem, group_runs(optimizers, np.arange(NUM)), EPOCHS)
    trainer = Trainer(plan, engine="compiled")
    assert_equal(list(trainer.run()), list(Trainer(plan, engine="torch").run()))


def formula(chance: random.Random, depth: int = 0) -> str:
    """A formula of operations that programs have, and of a few that they leave to torch."""
    if depth > 3 or chance.random() < 0.15 * depth:
        return chance.choice(["w", "g", "t", "lr", "m", "v", "beta", "eps", "2", "0.5", "1e-3"])
    one, other = formula(chance, depth + 1), formula(chance, depth + 1)
    match chance.randrange(8):
        case 0:
            return f"{chance.choice(['abs', 'sign', 'sqrt', 'norm', 'mean', 'tanh'])}({one})"
        case 1:
            return f"{chance.choice(['min', 'max'])}({one}, {other})"
        case 2:
            return f"where({one} {chance.choice(['<', '<=', '>', '==', '!='])} {other}, {one}, {other} + g)"
        case _:
            return f"({one}) {chance.choice('+-*/')} ({other})"


@pytest.mark.slow
def test_random_rules_are_compiled_with_the_same_bits_or_left_to_torch() -> None:
    chance, num_compiled = random.Random(5), 0
    rule_of: dict[str, Any] = {"kind": "formula", "lr": 0.01, "state": {"m": 0, "v": 1}}
    for _ in range(60):
        update = [
            f"m = 0.9*m + 0.1*({formula(chance)})",
            f"v = {formula(chance)}",
            f"w = w - lr*({formula(chance)} + m)",
        ]
        parameters = {"beta": 0.9, "eps": 1e-3}
        try:
            rule = settings_of({**rule_of, "parameters": parameters, "update": update})
        except ValidationError:
            continue
        optimizers = [("formula", {**rule, "lr": 0.01 * (run + 1)}) for run in range(5)]
        dtype = chance.choice(["float32", "float64"])
        plan = Plan(landscape(ROSENBROCK, 5), group_runs(optimizers, range(5)), 8, dtype=dtype)
        trainer = Trainer(plan, engine="compiled")
        assert_equal(list(trainer.run()), list(Trainer(plan, engine="torch").run()))
        num_compiled += trainer.reason is None
    assert num_compiled >= 15


@pytest.mark.slow
def test_flipnet_image_by_image_and_whole() -> None:
    same(FlipNet(np.arange(NUM)), entries("momentum", momentum=0.8), epochs=4, dtype="float32")
    same(FlipNet(np.arange(NUM), batch_size="full"), entries("adam"), epochs=12, dtype="float64")


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (landscape("sin(x) + y**2"), "sin"),
        (landscape(ROSENBROCK, noise=0.1), "operand"),
        (landscape(ROSENBROCK, shift=Shift(3, np.ones(2))), "the plan"),
        (FlipNet(np.arange(NUM), shuffle=True), "operand"),
    ],
)
def test_what_has_no_program_is_trained_by_torch(problem: Problem, reason: str) -> None:
    trainer = Trainer(Plan(problem, group_runs(entries("sgd"), np.arange(NUM)), 3), engine="compiled")
    list(trainer.run())
    assert trainer.num_compiled_epochs == 0
    assert reason in (trainer.reason or "")


def test_a_letter_with_another_number_is_another_program() -> None:
    def trained(number: float, engine: Engine) -> list[Epoch | None]:
        problem = replace(landscape("x**2 + y**2", 2), expression=parse("a*x**2 + y**2", {"a": number}))
        plan = Plan(problem, group_runs(entries("sgd", 2), np.arange(2)), 30)
        return list(Trainer(plan, engine=engine).run())

    for number in (1.5, 4.0):
        assert_equal(trained(number, "compiled"), trained(number, "torch"))


def test_a_trainer_ends_where_its_last_run_diverged() -> None:
    # The programs have trained later epochs by then.
    plan = Plan(landscape(ROSENBROCK, 3), group_runs([("sgd", {"lr": 0.5})] * 3, np.arange(3)), EPOCHS)
    compiled, expected = Trainer(plan, engine="compiled"), Trainer(plan, engine="torch")
    assert_equal(list(compiled.run()), list(expected.run()))
    assert 0 < compiled.num_compiled_epochs < EPOCHS
    np.testing.assert_array_equal(compiled.weights(), expected.weights())
    for name, array in expected.checkpoint().items():
        np.testing.assert_array_equal(compiled.checkpoint()[name], array, name)
