"""How a hyper-parameter changes while a run trains."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.fields import Strict


class Constant(Strict):
    """The same value from the first update to the last."""

    title: ClassVar = "Constant"
    formula: ClassVar = "value(t) = value"
    reference: ClassVar = "Robbins, Monro: A Stochastic Approximation Method (1951)"

    kind: Literal["constant"] = Field("constant", description="The schedule's name.")


Schedule = Constant
SCHEDULES: tuple[type[Constant], ...] = (Constant,)
