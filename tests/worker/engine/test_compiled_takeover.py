"""Programs are compiled while torch trains, take over between epochs, and stop when they are polled."""

import random
from typing import Any

import numpy as np
import pytest

from tests.groups import group_runs
from tests.rules import own
from tests.worker.engine.equal_bits import EPOCHS, NUM, assert_equal, entries, landscape
from tests.worker.engine.training import ROSENBROCK
from worker.engine import trainer as trainer_module
from worker.engine.fused import requests
from worker.engine.stack.plan import Plan
from worker.engine.trainer import Trainer

pytest.importorskip("llvmlite")


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
