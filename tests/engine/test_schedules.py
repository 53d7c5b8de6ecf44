"""A schedule changes a rate or a momentum update by update, as torch's schedulers do."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.engine.training import History, flipnet_loss
from worker.engine.groups import group_runs
from worker.engine.problems import FlipNet
from worker.engine.problems.flipnet import initial_weights
from worker.engine.schedules import SCHEDULES
from worker.engine.trainer import Plan, Trainer

EPOCHS = 12  # 192 updates: more than one table of settings.


def decaying(updates_T1, settings):
    """Falls by a factor per update that each run has for itself."""
    return settings["factor"] ** updates_T1


@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_a_rate_that_changes_with_every_update_trains_and_is_recorded_as_in_torch(kind, monkeypatch):
    monkeypatch.setitem(SCHEDULES, "decaying", decaying)
    factors = np.array([0.99, 0.97])
    (group,) = group_runs([(kind, {"lr": 0.02})], [0, 0])
    group = dataclasses.replace(group, schedule="decaying", schedule_settings={"factor": factors})
    trainer = Trainer(Plan(FlipNet([1, 2], batch_size=1), (group,), EPOCHS))
    history = History(trainer, list(trainer.run()))

    for run, factor in enumerate(factors):
        weights = initial_weights(run + 1).double().requires_grad_()
        if kind == "adam":
            optimizer: torch.optim.Optimizer = torch.optim.Adam([weights], lr=0.02)
        else:
            optimizer = torch.optim.SGD([weights], lr=0.02, momentum=0.9)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, factor)
        in_force = [0.02]
        for _ in range(EPOCHS):
            for image in range(16):
                optimizer.zero_grad()
                flipnet_loss([image])(weights).backward()
                last = optimizer.param_groups[0]["lr"]
                optimizer.step()
                scheduler.step()
            in_force.append(last)
        np.testing.assert_allclose(history["lr"][:, run], in_force, rtol=1e-12)
        expected = flipnet_loss(range(16))(weights.detach()).item()
        assert history["loss"][-1, run] == pytest.approx(expected, rel=1e-10)


def test_a_scheduled_momentum_is_in_force_and_recorded(monkeypatch):
    monkeypatch.setitem(SCHEDULES, "late", lambda updates_T1, settings: (updates_T1 >= 32).double())
    (group,) = group_runs([("momentum", {"lr": 0.02, "momentum": 0.8})], [0])
    late = dataclasses.replace(group, momentum_schedule="late")
    histories = []
    for groups in (group_runs([("sgd", {"lr": 0.02})], [0]), (late,)):
        trainer = Trainer(Plan(FlipNet([1]), groups, 4))
        histories.append(History(trainer, list(trainer.run())))
    plain, scheduled = histories
    assert scheduled["momentum"].ravel().tolist() == [0, 0, 0, 0.8, 0.8]
    assert np.array_equal(scheduled["loss"][:3], plain["loss"][:3])
    assert not np.array_equal(scheduled["loss"][3:], plain["loss"][3:])
