"""Compiled programs give the histories of torch, bit for bit."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from service.spec.formulas.expression import parse
from service.spec.surfaces import SURFACES
from tests.groups import group_runs
from tests.rules import RULES, own, settings_of
from tests.worker.engine.training import EIGENVALUES, ROSENBROCK, surface
from worker.engine import trainer as trainer_module
from worker.engine.fused import requests
from worker.engine.fused.requests import Engine
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.problems import FlipNet, Quadratic, Surface
from worker.engine.protocols import Problem, Shift
from worker.engine.stack.plan import Epoch, Plan
from worker.engine.stack.schedule import Schedule
from worker.engine.trainer import Trainer

pytest.importorskip("llvmlite")

NUM, EPOCHS = 40, 30
# Functions of these surfaces are torch's alone.
WITH_TORCH = ("sin", "cos", "tan", "exp", "log", "tanh", "**0.", "sqrt")


def entries(kind: str, num: int = NUM, **values: Any) -> list[tuple[str, dict[str, Any]]]:
    """One entry per run: learning rates from small ones to those that diverge."""
    return [(kind, {**values, "lr": float(lr)}) for lr in np.geomspace(1e-4, 3.0, num)]


def same(problem: Problem, optimizers: Sequence[Any], *, schedules: Any = None, **options: Any) -> Trainer:
    """Trains a plan twice, and checks that all epochs are equal and that no epoch but 0 was torch's."""
    groups = group_runs(optimizers, np.arange(problem.num_runs), schedules)
    plan = Plan(problem, groups, **{"epochs": EPOCHS, **options})
    compiled = Trainer(plan, engine="compiled")
    epochs = list(compiled.run())
    assert compiled.reason is None
    assert compiled.num_compiled_epochs == len(epochs) - 1
    assert_equal(epochs, list(Trainer(plan, engine="torch").run()))
    return compiled


def assert_equal(found: Sequence[Epoch], expected: Sequence[Epoch]) -> None:
    assert [epoch.number for epoch in found] == [epoch.number for epoch in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.diverged_R, other.diverged_R)
        np.testing.assert_array_equal(one.measured_FR, other.measured_FR)
        if other.values_FR is None:
            assert one.values_FR is None
            continue
        np.testing.assert_array_equal(one.kept_R, other.kept_R)
        assert one.values_FR is not None
        np.testing.assert_array_equal(bits(one.values_FR), bits(other.values_FR), f"epoch {one.number}")


def bits(values: np.ndarray) -> np.ndarray:
    """The bits of numbers; all NaNs are one."""
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def landscape(formula: str, num: int = NUM, **more: Any) -> Surface:
    dimension = parse(formula).dimension
    starts = np.random.default_rng(1).uniform(-2, 2, (num, dimension))
    return surface(formula, starts, range(num), **more)


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


@pytest.mark.parametrize("at", [1, 17, 29])
@pytest.mark.parametrize(("before", "after"), [("compiled", "torch"), ("torch", "compiled"), ("compiled", "compiled")])
def test_a_run_changes_its_engine_at_a_checkpoint(at: int, before: Any, after: Any) -> None:
    plan = Plan(landscape(ROSENBROCK), group_runs(entries("adam"), np.arange(NUM)), EPOCHS, record_every=4)
    whole = list(Trainer(plan, engine="torch").run())
    first = Trainer(plan, engine=before)
    found = []
    for epoch in first.run():
        assert epoch is not None
        found.append(epoch)
        if epoch.number == at:
            break
    second = Trainer(plan, first.checkpoint(), engine=after)
    assert_equal([*found, *second.run()], whole)
    # The first goes on as well, as if no checkpoint had been taken.
    assert_equal([*found, *first.run()], whole)


def test_programs_take_over_while_torch_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LEAST_UPDATES", 0)
    # A program of its own, which no other test has compiled.
    formula = f"(x - {random.random()})**2 + 3*y**2 + x*y"
    plan = Plan(landscape(formula), group_runs(entries("momentum"), np.arange(NUM)), 600, record_every=100)
    trainer, found = Trainer(plan), []
    for epoch in trainer.run():
        found.append(epoch)
        if epoch.number == 5:
            trainer._programs.wait(60)
    assert 0 < trainer.num_compiled_epochs <= 600
    assert_equal(found, list(Trainer(plan, engine="torch").run()))


def test_the_poll_may_end_a_call_between_two_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(Exception):
        pass

    polls = 0

    def poll() -> bool:
        nonlocal polls
        polls += 1
        if polls == 3:
            raise Ended
        return False

    monkeypatch.setattr(trainer_module, "BLOCK_BYTES", 16 * 64)
    plan = Plan(landscape(ROSENBROCK, 256), group_runs(entries("momentum", 256), np.arange(256)), 50)
    trainer = Trainer(plan, poll=poll, engine="compiled")
    with pytest.raises(Ended):
        list(trainer.run())
    assert (trainer.epoch, trainer.num_compiled_epochs) == (0, 0)
    resumed = Trainer(plan, trainer.checkpoint(), engine="compiled")
    assert_equal(list(resumed.run()), list(Trainer(plan, engine="torch").run())[1:])


def test_a_small_plan_is_compiled_the_second_time_and_used_from_then_on() -> None:
    formula = f"(x - {random.random()})**2 + 3*y**2"
    plan = Plan(landscape(formula, 2), group_runs(entries("momentum", 2), np.arange(2)), 100)
    first, second = Trainer(plan), Trainer(plan)
    assert first._programs is not None
    assert second._programs is not None
    assert first._programs.kernels is None
    assert second._programs.wait(60)
    third = Trainer(plan)
    found = list(third.run())
    assert third.num_compiled_epochs == 100
    assert_equal(found, list(Trainer(plan, engine="torch").run()))


def test_a_rule_is_compiled_once_torch_has_taken_longer_than_that_for_plans_with_it() -> None:
    _, rule = own("aligned", 0.01)
    plan = Plan(
        landscape(f"(x - {random.random()})**2 + 3*y**2", 2), group_runs([("formula", rule)] * 2, range(2)), 100
    )
    num = -(-requests.WORTH // requests.worth(100, 2, 2))
    assert 2 < num < 5
    trainers = [Trainer(plan) for _ in range(num)]
    assert [trainer.reason for trainer in trainers[:-1]] == ["too little work for a program"] * (num - 1)
    last = trainers[-1]._programs
    assert last is not None
    assert last.wait(60)
    assert last.kernels is not None
    known = Trainer(plan)
    found = list(known.run())
    assert known.num_compiled_epochs == 100
    assert_equal(found, list(Trainer(plan, engine="torch").run()))


def test_a_letter_with_another_number_is_another_program() -> None:
    def trained(number: float, engine: Engine) -> list[Epoch | None]:
        problem = replace(landscape("x**2 + y**2", 2), expression=parse("a*x**2 + y**2", {"a": number}))
        plan = Plan(problem, group_runs(entries("sgd", 2), np.arange(2)), 30)
        return list(Trainer(plan, engine=engine).run())

    for number in (1.5, 4.0):
        assert_equal(trained(number, "compiled"), trained(number, "torch"))


@pytest.mark.slow
def test_a_call_trains_a_few_epochs_of_many_runs_and_the_poll_ends_it() -> None:
    class Ended(Exception):
        pass

    def poll() -> bool:
        if trainer.num_compiled_epochs > 100:
            raise Ended
        return False

    plan = Plan(landscape(ROSENBROCK, 3_000), group_runs(entries("sgd", 3_000), np.arange(3_000)), 10_000)
    trainer = Trainer(plan, poll=poll, engine="compiled")
    found = []
    with pytest.raises(Ended):
        found += trainer.run()
    number = int(trainer.checkpoint()["epoch"])
    assert number == trainer.epoch < 200
    resumed = Trainer(plan, trainer.checkpoint(), engine="torch").run()
    straight = Trainer(plan, engine="torch").run()
    for _ in range(number + 1):
        next(straight)
    for _ in range(3):
        assert_equal([next(resumed)], [next(straight)])
