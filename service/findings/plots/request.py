"""Parameters of a plot, and the kinds of plot that accept each of them."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.findings.comparison.heat_map import Value
from service.spec.fields import NO_ZERO_CHARACTER
from service.spec.metric_fields import AXES

Kind = Literal["loss", "paths", "heatmap", "comparison"]
if TYPE_CHECKING:  # A type checker cannot read a Literal from a dictionary.
    PlottedField = str
else:
    PlottedField = Literal[tuple(AXES)]
Name = Annotated[str, Field(max_length=500, pattern=NO_ZERO_CHARACTER)]

# Parameters of one or some kinds; all other parameters fit every kind.
_BELONGS = {
    "labels": {"loss", "paths"},
    "field": {"loss"},
    "band": {"loss"},
    "log": {"loss", "heatmap", "comparison"},
    "x": {"heatmap"},
    "y": {"heatmap"},
    "value": {"heatmap"},
    "label": {"heatmap"},
    "target": {"heatmap", "comparison"},
    "baseline": {"comparison"},
}


class PlotQuery(BaseModel):
    """Parameters of a plot; unknown ones are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = Field("loss", description="Loss curves, paths in the plane, a heat map over a grid, or intervals.")
    width: int = Field(800, ge=320, le=2400, description="Width in pixels.")
    height: int = Field(480, ge=240, le=1800, description="Height in pixels.")
    density: int = Field(2, ge=1, le=3, description="Dots per pixel of a PNG, for sharp screens and print.")
    dark: bool = Field(False, description="Dark background.")
    log: bool | None = Field(None, description="Logarithmic scale of losses; by default if all are positive.")
    labels: Name | None = Field(None, description="loss, paths: only these labels, comma-separated.")
    field: PlottedField = Field("loss", description="loss: field to draw over epochs.")
    band: Literal["iqr", "90"] = Field("iqr", description="loss: band with the middle 50 % or 90 % of the runs.")
    label: Name | None = Field(
        None,
        description="heatmap: label of the entry; by default the first with at least two varying hyper-parameters.",
    )
    x: Name | None = Field(None, description="heatmap: hyper-parameter of the x axis.")
    y: Name | None = Field(None, description="heatmap: hyper-parameter of the y axis.")
    value: Value = Field("final_loss", description="heatmap: quantity shown as colour.")
    target: float | None = Field(
        None, allow_inf_nan=False, description="heatmap, comparison: loss to reach; by default the spec's."
    )
    baseline: Name | None = Field(None, description="comparison: label with which the others are compared.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, kinds in _BELONGS.items():
            if name in self.model_fields_set and self.kind not in kinds:
                own = ", ".join(one for one, of in _BELONGS.items() if self.kind in of)
                raise PydanticCustomError(
                    "parameter",
                    "'{name}' is not a parameter of kind '{kind}', which accepts {own}, width, height, density, dark",
                    {"name": name, "kind": self.kind, "own": own},
                )
        return self
