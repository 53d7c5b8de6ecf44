"""Built-in kinds that a rule can express equal their `as_formula` at drawn settings."""

import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from service.spec.as_formula import as_formula
from tests.groups import ENTRIES
from tests.rules import settings_of
from tests.worker.engine.hyper_parameters import SETTINGS, number, scaled
from tests.worker.engine.training import EIGENVALUES, ROSENBROCK, final_weights, surface
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.protocols import Problem

UPDATES = 60
KINDS = [kind for kind, entry in ENTRIES.items() if as_formula(entry)]
# A last bit of a gradient is a whole step for these: only a run whose gradients keep their signs can be compared.
STARTS = np.random.default_rng(0).uniform(1, 2, size=(2, 10))
PROBLEMS: dict[str, tuple[Problem, int]] = {
    "flipnet": (FlipNet([0, 0, 1, 1]), math.ceil(UPDATES / 16)),
    "rosenbrock": (surface(ROSENBROCK, [[-1.2, 1.0], [-1.2, 1.0], [0.5, -0.5], [0.5, -0.5]]), UPDATES),
    "quadratic": (Quadratic(EIGENVALUES, STARTS[[0, 0, 1, 1]], [0] * 4), UPDATES),
}


def test_the_kinds_without_a_formula_are_those_that_take_more_than_a_rule_can_say() -> None:
    assert ENTRIES.keys() - set(KINDS) == {
        "asgd", "schedule_free_sgd", "schedule_free_adamw", "adafactor", "muon", "lars",
    }  # fmt: skip


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_a_built_in_kind_equals_its_formula(kind: str, data: st.DataObject) -> None:
    entry = as_formula(ENTRIES[kind])
    assert entry is not None
    parameters = entry.get("parameters", {})
    ranges = {name: strategy for name, strategy in SETTINGS[kind].items() if name in parameters}
    drawn = data.draw(st.lists(st.fixed_dictionaries({"lr": number(0.05, 1.0), **ranges}), min_size=2, max_size=2))
    for name, (problem, epochs) in PROBLEMS.items():
        optimizers = []
        for _, values in scaled(kind, name, drawn):
            own = {name: value for name, value in values.items() if name != "lr"}
            rule = {**entry, "lr": values["lr"], "parameters": {**parameters, **own}}
            optimizers += [(kind, values), ("formula", settings_of(rule))]
        weights_DR = final_weights(problem, optimizers, epochs)
        np.testing.assert_array_less(
            np.abs(weights_DR[:, 0::2] - weights_DR[:, 1::2]) / np.maximum(1, np.abs(weights_DR[:, 0::2])), 1e-12, name
        )
