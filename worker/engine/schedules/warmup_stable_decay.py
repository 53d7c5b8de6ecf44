"""How does a rate stay at the top for most of the time, and fall only at the end?"""

from torch import Tensor

from worker.engine.schedules.polynomial import polynomial


def warmup_stable_decay(
    steps_T1: Tensor, *, stable_steps: float, decay_steps: float, power: float, final_fraction: float
) -> Tensor:
    """1 for `stable_steps`, then a polynomial decay; the warm-up is the course's.

    The end need not be known at the start: whoever trains longer goes back to where the decay began.
    Reference: Hu et al., MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies,
    2024.
    """
    into_decay_T1 = (steps_T1 - stable_steps).clamp(min=0)
    return polynomial(into_decay_T1, decay_steps=decay_steps, power=power, final_fraction=final_fraction)
