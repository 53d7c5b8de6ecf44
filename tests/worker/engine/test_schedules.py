"""Every schedule equals that of torch, step by step, and the trainer applies it."""

import numpy as np
import pytest
import torch

from tests.groups import group_runs
from tests.worker.engine.schedule_twins import CASES, RATE, STEPS, TWINS, schedule, torch_rates
from worker.engine.schedules import SCHEDULES
from worker.engine.stack.schedule import Schedule


def factors(given: Schedule, num_steps: int, updates_per_epoch: int = 1) -> np.ndarray:
    updates_T1 = torch.arange(num_steps, dtype=torch.float64)[:, None]
    return given.factors(updates_T1, updates_per_epoch).expand(num_steps, 1).numpy()[:, 0]


@pytest.mark.parametrize("case", CASES)
def test_every_factor_equals_that_of_torch(case):
    given, twin = CASES[case]
    np.testing.assert_allclose(RATE * factors(given, STEPS), torch_rates(twin, STEPS), rtol=1e-12, atol=1e-12 * RATE)


def test_every_schedule_of_the_registry_is_compared_with_torch():
    assert {given.kind for given, _ in TWINS.values()} == set(SCHEDULES)


@pytest.mark.parametrize("case", TWINS)
def test_per_epoch_the_factor_stays_for_all_updates_of_an_epoch(case):
    given, _ = TWINS[case]
    by_epoch = Schedule(given.kind, given.parameters, "epoch", given.warmup_steps, given.initial_fraction,
                      given.warmup_shape)  # fmt: skip
    np.testing.assert_array_equal(factors(by_epoch, 4 * STEPS, 4), np.repeat(factors(given, STEPS), 4))


def test_after_its_last_step_a_schedule_stays_where_it_ended():
    for name in ("polynomial", "cosine", "one_cycle", "warmup_stable_decay"):
        given = dict(TWINS[name][0].parameters)
        np.testing.assert_allclose(factors(TWINS[name][0], 1000)[STEPS:], given["final_fraction"], rtol=1e-12)


def test_exponential_equals_step_at_the_changes():
    stairs = schedule("step", decay_steps=10.0, factor=0.5)
    smooth = schedule("exponential", decay_steps=10.0, factor=0.5)
    np.testing.assert_allclose(factors(smooth, 100)[::10], factors(stairs, 100)[::10], rtol=1e-14)


def test_restarts_are_exact_however_late():
    given = schedule("cosine", decay_steps=3.0, final_fraction=0.0, restarts=True, growth=10)
    beginnings = [3 * (10**period - 1) / 9 for period in range(12)]
    updates_T1 = torch.tensor(beginnings, dtype=torch.float64)[:, None]
    assert given.factors(updates_T1, 1)[:, 0].tolist() == [1.0] * 12
    assert (given.factors(updates_T1[1:] - 1, 1) < 0.3).all()


def test_what_cannot_be_scheduled_is_refused():
    with pytest.raises(ValueError, match="no schedule 'sine'"):
        Schedule("sine")
    with pytest.raises(ValueError, match="adagrad has no momentum"):
        group_runs([("adagrad", {"lr": 0.1})], [0], [(Schedule(), schedule("step", decay_steps=1.0, factor=0.5))])
