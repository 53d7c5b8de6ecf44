"""Schedules and their twins among torch's schedulers."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import lr_scheduler as torch_schedulers

from worker.engine.stack.schedule import Schedule

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
