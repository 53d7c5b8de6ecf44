"""Plans trained by torch and by compiled programs, compared bit for bit."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from service.spec.formulas.expression import parse
from tests.groups import group_runs
from tests.worker.engine.training import surface
from worker.engine.problems import Surface
from worker.engine.protocols import Problem
from worker.engine.stack.plan import Epoch, Plan
from worker.engine.trainer import Trainer

NUM, EPOCHS = 40, 30


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
