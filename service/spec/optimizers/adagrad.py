"""Adagrad."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import Entry, NotNegative, WeightDecay
from service.spec.references import Reference, cite

DUCHI_2011 = Reference(
    "duchi2011", ("John Duchi", "Elad Hazan", "Yoram Singer"),
    "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011,
    journal="Journal of Machine Learning Research", volume="12", pages="2121-2159",
)  # fmt: skip


class Adagrad(Entry):
    """Divide the gradient by the root of the sum of all its squares so far."""

    title: ClassVar = "Adagrad"
    formula: ClassVar = "s ← s + g²;  w ← w − lr / (1 + t·lr_decay) · g / (√s + ε)"
    reference: ClassVar = cite(DUCHI_2011)
    state_per_parameter: ClassVar = 1
    torch_class: ClassVar = "torch.optim.Adagrad"
    own_state: ClassVar = {"s": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "s = where(t == 1, initial_accumulator_value, s) + d**2",
        "w = w - lr/(1 + (t - 1)*lr_decay)*d/(sqrt(s) + eps)",
    )

    kind: Literal["adagrad"]
    lr_decay: NotNegative = Field(0.0, description="Decay of the learning rate: lr / (1 + t·lr_decay) after t updates.")
    weight_decay: WeightDecay = 0.0
    initial_accumulator_value: NotNegative = Field(0.0, description="Initial value of the sum of squares.")
    eps: Annotated[NotNegative, Field(description="Added to the denominator, so that it is never zero.")] = 1e-10
