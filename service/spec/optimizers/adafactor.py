"""Adafactor."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import DecoupledDecay, Entry, NotNegative
from service.spec.fields import Grid, Within
from service.spec.literature import ICML
from service.spec.references import Reference, cite

SHAZEER_2018 = Reference(
    "shazeer2018", ("Noam Shazeer", "Mitchell Stern"),
    "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018, conference=ICML,
)  # fmt: skip


class Adafactor(Entry):
    """Adam's denominators from means over rows and columns; rates relative to the size of each tensor."""

    title: ClassVar = "Adafactor"
    formula: ClassVar = "V ≈ r·c / mean(r);  u = g/√V;  w ← w − max(ε₂, rms(w))·min(lr, 1/√t)·u / max(1, rms(u)/d)"
    reference: ClassVar = cite(SHAZEER_2018)
    state_per_parameter: ClassVar = 1
    torch_class: ClassVar = "torch.optim.Adafactor"

    kind: Literal["adafactor"]
    beta2_decay: Annotated[Grid, Within(le=0)] = Field(
        -0.8, description="Weight of the newest square in the means: t^beta2_decay."
    )
    eps2: NotNegative = Field(1e-3, description="ε₂: smallest root mean square of a tensor in the step size.")
    d: Annotated[Grid, Within(ge=1)] = Field(1.0, description="Root mean square above which a step is scaled down.")
    weight_decay: DecoupledDecay = 0.0
