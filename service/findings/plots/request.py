"""Parameters of a plot, and the kinds of plot that accept each of them."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.findings.comparison.heat_map import Value
from service.findings.plots.kinds import DESCRIPTION, Kind
from service.histories.chosen import LABELS, Labels
from service.spec.criteria import Criterion
from service.spec.fields import NO_ZERO_CHARACTER
from service.spec.metric_fields import AXES

if TYPE_CHECKING:  # A type checker cannot read a Literal from a list.
    KindName = str
    PlottedField = str
else:
    KindName = Literal[tuple(kind.value for kind in Kind)]
    PlottedField = Literal[tuple(AXES)]
Name = Annotated[str, Field(max_length=500, pattern=NO_ZERO_CHARACTER)]

# Parameters of one or some kinds; all other parameters fit every kind.
_OF_LABELS = {Kind.COMPARISON, Kind.RANKS, Kind.TARGETS}
_BELONGS = {
    "labels": {Kind.LOSS, Kind.PATHS},
    "field": {Kind.LOSS},
    "band": {Kind.LOSS},
    "log": {Kind.LOSS, Kind.HEATMAP, Kind.COMPARISON, Kind.TARGETS, Kind.TUNING},
    "x": {Kind.HEATMAP},
    "y": {Kind.HEATMAP},
    "value": {Kind.HEATMAP},
    "label": {Kind.HEATMAP},
    "target": {Kind.HEATMAP, *_OF_LABELS},
    "criterion": _OF_LABELS,
    "tuned": _OF_LABELS,
    "baseline": {Kind.COMPARISON},
}


# A picture takes up to 6 bytes per dot while it is drawn: 80 MB.
MAX_DOTS = 2_400 * 1_800 * 2**2


class PlotQuery(BaseModel):
    """Parameters of a plot; unknown ones are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: KindName = Field(Kind.LOSS.value, description=DESCRIPTION)
    width: int = Field(800, ge=320, le=2400, description="Width in pixels.")
    height: int = Field(480, ge=240, le=1800, description="Height in pixels.")
    density: int = Field(
        2,
        ge=1,
        le=3,
        description="Dots per pixel of a PNG, for sharp screens and print. width × height × density² is at most "
        f"{MAX_DOTS:,}.",
    )
    dark: bool = Field(False, description="Dark background.")
    log: bool | None = Field(None, description="Logarithmic scale of losses; by default if all are positive.")
    labels: Labels | None = Field(None, description=f"loss, paths: {LABELS[0].lower()}{LABELS[1:]}")
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
        None,
        allow_inf_nan=False,
        description="heatmap, comparison, ranks, targets: loss to reach; by default the spec's, or one for all.",
    )
    criterion: Criterion | None = Field(
        None,
        description="comparison, ranks, targets: quantity by which labels are compared; by default the spec's, else "
        "the problem's.",
    )
    tuned: bool | None = Field(
        None,
        description="comparison, ranks, targets: choose one setting of each label by half of the seeds; by default "
        "where a label has several settings.",
    )
    baseline: Name | None = Field(None, description="comparison: label with which the others are compared.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (dots := self.width * self.height * self.density**2) > MAX_DOTS:
            raise PydanticCustomError(
                "dots",
                "width × height × density² is {dots}; at most {most} are allowed: lower one of them",
                {"dots": f"{dots:,}", "most": f"{MAX_DOTS:,}"},
            )
        for name, kinds in _BELONGS.items():
            if name in self.model_fields_set and self.kind not in kinds:
                own = ", ".join(one for one, of in _BELONGS.items() if self.kind in of)
                raise PydanticCustomError(
                    "parameter",
                    "'{name}' is not a parameter of kind '{kind}', which accepts {own}, width, height, density, dark",
                    {"name": name, "kind": self.kind, "own": own},
                )
        return self
