"""How does a rate go to its final fraction along a power of the time that is left?"""

from torch import Tensor


def polynomial(steps_T1: Tensor, *, decay_steps: float, power: float, final_fraction: float) -> Tensor:
    """f + (1 − f) · (1 − t / decay_steps)^power, then f. As torch's PolynomialLR, whose final fraction f is 0."""
    left_T1 = 1 - (steps_T1 / decay_steps).clamp(max=1)
    return final_fraction + (1 - final_fraction) * left_T1**power
