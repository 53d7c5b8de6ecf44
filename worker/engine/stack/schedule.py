"""Factor of a learning rate or a momentum at each update: warm-up, then a schedule of `schedules.py`."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from worker.engine.schedules import SCHEDULES, half_cosine

Value = float | bool | tuple[float, ...]


@dataclass(frozen=True)
class Schedule:
    """A kind with its parameters, the warm-up before it, and the unit of a step: an update or an epoch.

    Schedules compare by value: runs with equal schedules may form a group.
    """

    kind: str = "constant"
    parameters: tuple[tuple[str, Value], ...] = ()
    per: Literal["update", "epoch"] = "update"
    warmup_steps: float = 0
    initial_fraction: float = 1.0
    warmup_shape: Literal["linear", "cosine"] = "linear"

    def __post_init__(self) -> None:
        if self.kind not in SCHEDULES:
            raise ValueError(f"There is no schedule {self.kind!r}; known are {list(SCHEDULES)}.")

    @property
    def constant(self) -> bool:
        return self.kind == "constant" and not self.warmup_steps

    def factors(self, updates_T1: Tensor, updates_per_epoch: int) -> Tensor:
        """Factors in float64 for updates numbered from 0: [T, 1], or [1, 1] where they are all the same.

        The warm-up rises from `initial_fraction` at the first step to 1 at step `warmup_steps`, which is step 0 of the
        schedule. As torch's SequentialLR of a LinearLR and the schedule.
        """
        if self.constant:
            return torch.ones(1, 1, dtype=updates_T1.dtype, device=updates_T1.device)
        steps_T1 = torch.floor(updates_T1 / updates_per_epoch) if self.per == "epoch" else updates_T1
        own_T1 = SCHEDULES[self.kind]((steps_T1 - self.warmup_steps).clamp(min=0), **dict(self.parameters))
        if not self.warmup_steps:
            return own_T1
        progress_T1 = (steps_T1 / self.warmup_steps).clamp(max=1)
        if self.warmup_shape == "cosine":
            rise_T1 = half_cosine(progress_T1, self.initial_fraction, 1.0)
        else:
            rise_T1 = self.initial_fraction + (1 - self.initial_fraction) * progress_T1
        return torch.where(steps_T1 < self.warmup_steps, rise_T1, own_T1)
