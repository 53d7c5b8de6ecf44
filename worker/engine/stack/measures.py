"""Fields measured on request, because they cost time.

sharpness           The largest algebraic eigenvalue of the Hessian of the full training objective.
noise_scale         tr Σ / ‖G‖², where G is the full gradient and Σ the covariance of the gradients of single examples
                    around it, over all training examples: the batch size at which noise and gradient are equal
                    (McCandlish, Kaplan, Amodei and the OpenAI Dota Team, An Empirical Model of Large-Batch Training,
                    2018: "simple noise scale"). On a landscape an example is one draw of the noise, Σ = σ² I.
gradient_variance   E‖g − G‖², where g is the gradient of an update: the mean of a batch (of all micro-batches of the
                    update) drawn without replacement, as a shuffled epoch does. With n of N examples that is
                    tr Σ · (N − n) / (n (N − 1)), and 0 for the full batch; on a landscape tr Σ / n.
alpha               Position of the epoch's last update on the parabola along its step s with the exact slopes of the
                    objective at both ends: −(G₁ · s) / (G₀ · s). −1 is the start of the step, 0 the minimum of the
                    parabola, +1 the mirrored start; below −1 the step climbed, or the slope grew along it. In the row
                    of the epoch in which a landscape moved, the two slopes are of two landscapes.
                    (Schneider, Dangel and Hennig, Cockpit: A Practical Debugging Tool for the Training of Deep Neural
                    Networks, 2021, who fit the parabola to noisy values of mini-batches.)
velocity_norm       The norm of the velocity, for methods that keep one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from worker.engine.numerics.columns import norm, squared_norm
from worker.engine.protocols import Evaluation, Objective
from worker.engine.stack.groups import Group
from worker.engine.stack.part import Part

MEASURES = ("sharpness", "noise_scale", "gradient_variance", "alpha", "velocity_norm")
# The state whose norm velocity_norm is.
VELOCITY = "velocity"


def has_velocity(group: Group) -> bool:
    """Whether the runs of a group have a velocity."""
    return VELOCITY in group.optimizer.state_names(group.terms)


def velocity_norms(parts: Sequence[Part], like_R: Tensor) -> Tensor:
    """The norm [R] of each column's velocity; NaN for methods without one."""
    none_R = like_R.new_full((), torch.nan)
    norms = [
        norm(part.state[VELOCITY]) if VELOCITY in part.state else none_R.expand(part.stop - part.start)
        for part in parts
    ]
    return torch.cat(norms)


def landed(step_DR: Tensor, before: Evaluation, after: Evaluation) -> Tensor:
    """alpha [R] of a step."""
    slope_before_R = (before.gradient_DR * step_DR).sum(0)
    slope_after_R = (after.gradient_DR * step_DR).sum(0)
    return torch.where(squared_norm(step_DR) > 0, -slope_after_R / slope_before_R, -1)


@dataclass(frozen=True)
class Measured:
    """A point, its coordinates on the landscape, and the evaluation there."""

    point_DR: Tensor
    coordinates_DR: Tensor
    known: Evaluation


def on_request(
    names: Sequence[str],
    objective: Objective,
    after: Measured,
    before_last: tuple[Tensor, Evaluation] | None,
    parts: Sequence[Part],
    variance_share: float,
) -> dict[str, Tensor]:
    """The fields of these names, each [R]; `before_last` is the point before the epoch's last update."""
    fields: dict[str, Tensor] = {}
    if "sharpness" in names:
        fields["sharpness"] = objective.sharpness(after.coordinates_DR)
    if "noise_scale" in names or "gradient_variance" in names:
        trace_R = objective.noise_trace(after.coordinates_DR, after.known.gradient_DR)
        fields["noise_scale"] = trace_R / squared_norm(after.known.gradient_DR)
        fields["gradient_variance"] = trace_R * variance_share
    if before_last is not None:
        before_DR, before = before_last
        fields["alpha"] = landed(after.point_DR - before_DR, before, after.known)
    if "velocity_norm" in names:
        fields["velocity_norm"] = velocity_norms(parts, after.known.loss_R)
    return {name: fields[name] for name in names if name in fields}


def checked(names: Sequence[str]) -> tuple[str, ...]:
    """The names, in the order of MEASURES; ValueError where one is unknown."""
    unknown = set(names) - set(MEASURES)
    if unknown:
        raise ValueError(f"Unknown fields in measure: {sorted(unknown)}; known are {list(MEASURES)}.")
    return tuple(name for name in MEASURES if name in names)
