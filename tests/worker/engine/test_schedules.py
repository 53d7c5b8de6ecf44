"""Every schedule equals that of torch, step by step, and the trainer applies it."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler as torch_schedulers

from tests.groups import group_runs
from tests.worker.engine.training import History, flipnet_loss
from tests.worker.engine.twins import twin_settings
from worker.engine.networks.flipnet import initial_weights
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.schedules import SCHEDULES
from worker.engine.stack.schedule import Schedule
from worker.engine.trainer import Plan, Trainer

Twin = Callable[[torch.optim.Optimizer], torch_schedulers.LRScheduler]
STEPS = 60
RATE = 0.05


def schedule(kind: str, **parameters: Any) -> Schedule:
    shared = {name: parameters.pop(name) for name in ("per", "warmup_steps", "initial_fraction", "warmup_shape")
              if name in parameters}  # fmt: skip
    return Schedule(kind, tuple(parameters.items()), **shared)


def one_cycle(anneal: str) -> Twin:
    return lambda optimizer: torch_schedulers.OneCycleLR(
        optimizer, RATE, total_steps=STEPS, anneal_strategy=anneal, cycle_momentum=False
    )


CYCLE = {"initial_fraction": 1 / 25, "final_fraction": 1 / 25e4, "warmup_steps": 17, "decay_steps": 42}
TWINS: dict[str, tuple[Schedule, Twin]] = {
    "constant": (schedule("constant"), lambda given: torch_schedulers.ConstantLR(given, factor=1.0)),
    "step": (
        schedule("step", decay_steps=7.0, factor=0.3),
        lambda given: torch_schedulers.StepLR(given, 7, gamma=0.3),
    ),
    "exponential": (
        schedule("exponential", decay_steps=1.0, factor=0.93),
        lambda given: torch_schedulers.ExponentialLR(given, 0.93),
    ),
    "polynomial": (
        schedule("polynomial", decay_steps=45.0, power=1.7, final_fraction=0.0),
        lambda given: torch_schedulers.PolynomialLR(given, 45, power=1.7),
    ),
    "cosine": (
        schedule("cosine", decay_steps=60.0, final_fraction=0.1),
        lambda given: torch_schedulers.CosineAnnealingLR(given, 60, eta_min=0.1 * RATE),
    ),
    "cosine with restarts": (
        schedule("cosine", decay_steps=13.0, final_fraction=0.1, restarts=True),
        lambda given: torch_schedulers.CosineAnnealingWarmRestarts(given, 13, eta_min=0.1 * RATE),
    ),
    "cosine with growing restarts": (
        schedule("cosine", decay_steps=3.0, final_fraction=0.0, restarts=True, growth=3),
        lambda given: torch_schedulers.CosineAnnealingWarmRestarts(given, 3, T_mult=3),
    ),
    "one_cycle": (schedule("one_cycle", linear=False, warmup_shape="cosine", **CYCLE), one_cycle("cos")),
    "one_cycle of lines": (schedule("one_cycle", linear=True, **CYCLE), one_cycle("linear")),
    "piecewise": (
        schedule("piecewise", boundaries=(5.0, 20.0, 21.0), factors=(0.3, 0.09, 0.027)),
        lambda given: torch_schedulers.MultiStepLR(given, [5, 20, 21], gamma=0.3),
    ),
    "warmup_stable_decay": (
        schedule("warmup_stable_decay", stable_steps=20.0, decay_steps=30.0, power=1.0, final_fraction=0.2),
        lambda given: torch_schedulers.SequentialLR(
            given,
            [
                torch_schedulers.ConstantLR(given, factor=1.0),
                torch_schedulers.LinearLR(given, start_factor=1.0, end_factor=0.2, total_iters=30),
            ],
            milestones=[20],
        ),
    ),
}


def with_warmup(given: Schedule, twin: Twin) -> tuple[Schedule, Twin]:
    """The same schedule after seven steps of warm-up from a quarter."""
    warm = Schedule(given.kind, given.parameters, warmup_steps=7, initial_fraction=0.25)

    def sequence(optimizer: torch.optim.Optimizer) -> torch_schedulers.LRScheduler:
        rise = torch_schedulers.LinearLR(optimizer, start_factor=0.25, total_iters=7)
        return torch_schedulers.SequentialLR(optimizer, [rise, twin(optimizer)], milestones=[7])

    return warm, sequence


CASES = TWINS | {
    f"{name} after a warm-up": with_warmup(*TWINS[name])
    for name in ("constant", "step", "exponential", "polynomial", "cosine", "cosine with restarts", "piecewise")
}


def factors(given: Schedule, num_steps: int, updates_per_epoch: int = 1) -> np.ndarray:
    updates_T1 = torch.arange(num_steps, dtype=torch.float64)[:, None]
    return given.factors(updates_T1, updates_per_epoch).expand(num_steps, 1).numpy()[:, 0]


def torch_rates(twin: Twin, num_steps: int, optimizer: torch.optim.Optimizer | None = None) -> list[float]:
    optimizer = optimizer or torch.optim.SGD([torch.zeros(1)], lr=RATE)
    rates = []
    with warnings.catch_warnings():
        # SequentialLR calls step(number) of its schedulers, for which torch emits a deprecation warning.
        warnings.simplefilter("ignore")
        scheduler = twin(optimizer)
        for step in range(num_steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if step < num_steps - 1:
                scheduler.step()
    return rates


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


def test_what_cannot_be_scheduled_is_refused():
    with pytest.raises(ValueError, match="no schedule 'sine'"):
        Schedule("sine")
    with pytest.raises(ValueError, match="adagrad has no momentum"):
        group_runs([("adagrad", {"lr": 0.1})], [0], [(Schedule(), schedule("step", decay_steps=1.0, factor=0.5))])
