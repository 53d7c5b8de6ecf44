"""Runs with schedules equal plain loops with torch's schedulers."""

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as torch_schedulers

from tests.groups import group_runs
from tests.worker.engine.schedule_twins import CASES, RATE, STEPS, schedule, torch_rates
from tests.worker.engine.training import History, flipnet_loss
from tests.worker.engine.twins import twin_settings
from worker.engine.networks.flipnet import initial_weights
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.stack.schedule import Schedule
from worker.engine.trainer import Plan, Trainer


def scheduled(problem, optimizers, schedules, epochs):
    groups = group_runs(optimizers, range(len(optimizers)), schedules)
    trainer = Trainer(Plan(problem, groups, epochs))
    return trainer, History(trainer, list(trainer.run()))


@pytest.mark.slow
@pytest.mark.parametrize("per", ["update", "epoch"])
def test_a_scheduled_run_equals_a_plain_loop_with_torchs_scheduler(per):
    batches = [range(first, first + 4) for first in range(0, 16, 4)]
    epochs = STEPS if per == "epoch" else STEPS // len(batches)
    optimizers, schedules = [], []
    for given, _ in CASES.values():
        for optimizer in (("momentum", {"lr": RATE, "momentum": 0.8}), ("adam", {"lr": RATE / 10})):
            optimizers.append(optimizer)
            by = Schedule(
                given.kind, given.parameters, per, given.warmup_steps, given.initial_fraction, given.warmup_shape
            )
            schedules.append((by, Schedule()))
    trainer, history = scheduled(FlipNet([3] * len(optimizers), batch_size=4), optimizers, schedules, epochs)
    weights_DR = trainer.checkpoint()["weights"]
    losses = [flipnet_loss(batch) for batch in batches]
    for run, ((kind, settings), (_, twin)) in enumerate(
        zip(optimizers, [case for case in CASES.values() for _ in range(2)], strict=True)
    ):
        weights = initial_weights(3).double().requires_grad_()
        method = torch.optim.SGD if kind == "momentum" else torch.optim.Adam
        # OneCycleLR sets the rate to that of its top: here they are the same.
        optimizer = method([weights], **twin_settings(kind, settings))
        top = RATE / settings["lr"]
        rates = [rate / top for rate in torch_rates(twin, epochs if per == "epoch" else len(batches) * epochs)]
        for update in range(len(batches) * epochs):
            optimizer.param_groups[0]["lr"] = rates[update // len(batches) if per == "epoch" else update]
            optimizer.zero_grad()
            losses[update % len(batches)](weights).backward()
            optimizer.step()
        np.testing.assert_allclose(weights_DR[:, run], weights.detach().numpy(), rtol=1e-9, atol=1e-9)
        in_force = rates if per == "epoch" else rates[len(batches) - 1 :: len(batches)]
        np.testing.assert_allclose(history["lr"][1:, run], in_force, rtol=1e-12, atol=1e-14)


def test_momentum_is_cycled_as_torchs_one_cycle_does():
    # torch goes from max_momentum down to base_momentum and back: factors above 1, relative to the base.
    lift = 0.95 / 0.85
    cycle = {"warmup_steps": 17, "decay_steps": 42.0, "linear": False, "warmup_shape": "cosine"}
    rate = schedule("one_cycle", initial_fraction=1 / 25, final_fraction=1 / 25e4, **cycle)
    momentum = schedule("one_cycle", initial_fraction=lift, final_fraction=lift, **cycle)
    optimizers = [("momentum", {"lr": 0.01, "momentum": 0.85}), ("adam", {"lr": 0.01, "beta1": 0.85})]
    start = np.linspace(1, 2, 5)
    problem = Quadratic(np.arange(1.0, 6.0), np.stack([start, start]), [0, 0])
    trainer, history = scheduled(problem, optimizers, [(rate, momentum)] * 2, STEPS)
    for run, method in enumerate((torch.optim.SGD, torch.optim.Adam)):
        weights = torch.from_numpy(start.copy()).requires_grad_()
        optimizer = method([weights], lr=0.01, **({"momentum": 0.85} if run == 0 else {}))
        scheduler = torch_schedulers.OneCycleLR(optimizer, 0.01, total_steps=STEPS)
        seen = []
        for step in range(STEPS):
            group = optimizer.param_groups[0]
            seen.append(group["momentum"] if run == 0 else group["betas"][0])
            optimizer.zero_grad()
            ((torch.arange(1.0, 6.0) * weights**2).sum() / 2).backward()
            optimizer.step()
            if step < STEPS - 1:
                scheduler.step()
        np.testing.assert_allclose(history["momentum"][1:, run], seen, rtol=1e-12)
        np.testing.assert_allclose(trainer.checkpoint()["weights"][:, run], weights.detach().numpy(), rtol=1e-9)


def test_runs_are_grouped_by_their_schedules_too():
    falling = schedule("exponential", decay_steps=1.0, factor=0.9)
    plain = (Schedule(), Schedule())
    groups = group_runs([("sgd", {"lr": 0.1})] * 3, [0, 1, 2, 1], [plain, (falling, Schedule()), plain])
    assert [(group.runs.tolist(), group.schedules) for group in groups] == [
        ([0, 2], plain),
        ([1, 3], (falling, Schedule())),
    ]


def test_a_scheduled_run_does_not_depend_on_its_neighbours():
    # A group so wide that its tables cover few updates, compared with one whose tables cover 64.
    given = (schedule("polynomial", decay_steps=90.0, power=2.7, final_fraction=0.01, warmup_steps=5), Schedule())
    settings = [("momentum", {"lr": 0.01, "momentum": 0.9})]

    def history(num_runs):
        problem = Quadratic([1.0, 7.0], np.ones((num_runs, 2)), np.zeros(num_runs, int))
        trainer = Trainer(Plan(problem, group_runs(settings, np.zeros(num_runs, int), [given]), 80, dtype="float32"))
        return History(trainer, list(trainer.run())).of_runs([0])

    assert history(1) == history(40_000)
