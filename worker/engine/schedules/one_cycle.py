"""How does a rate come down after the one rise of its cycle?"""

from torch import Tensor

from worker.engine.schedules.cosine import half_cosine
from worker.engine.schedules.polynomial import polynomial


def one_cycle(steps_T1: Tensor, *, decay_steps: float, final_fraction: float, linear: bool) -> Tensor:
    """The fall from the top to the final fraction, along half a cosine or a straight line.

    The rise before it is the warm-up of the course, of the same shape; the factor is relative to the top. As torch's
    OneCycleLR, whose rise ends at pct_start · total_steps − 1 and whose fall ends at total_steps − 1.
    Reference: Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates,
    2019.
    """
    if linear:
        return polynomial(steps_T1, decay_steps=decay_steps, power=1, final_fraction=final_fraction)
    return half_cosine((steps_T1 / decay_steps).clamp(max=1), 1.0, final_fraction)
