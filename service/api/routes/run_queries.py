"""Query parameters of the routes of runs and histories."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.api.routes.dependencies import PageQuery
from service.database.states import RunStatus
from service.histories import reading
from service.histories.chosen import LABELS, Labels
from service.histories.formats import FormatName
from service.spec.job import JobSpec

# The largest value of an integer column. No run has as many epochs.
MAX_EPOCH = 2**31 - 1
FORMAT = "Format of the answer; by default the header Accept decides. All formats but JSON contain all rows."
EXCEL = (
    "CSV for spreadsheet programs: a byte order mark, and an apostrophe before texts that would run as formulas, which "
    "begin with =, +, -, @, tab or carriage return."
)


class RunsQuery(PageQuery):
    """Filter and order of the runs of a job."""

    sort: Literal["index", "final_loss", "best_loss"] = Field(
        "index", description="Order: by index, or by a loss, the best first: the smallest, with `maximize` the largest."
    )
    status: RunStatus | None = Field(None, description="Only runs with this status.")
    label: str | None = Field(None, max_length=500, description="Only runs of the optimizer with this label.")
    format: FormatName | None = Field(None, description=FORMAT)
    excel: bool = Field(False, description=EXCEL)


class HistoryQuery(BaseModel):
    """Selection of fields and epochs of a history; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")

    fields: str | None = Field(
        None, max_length=500, description="Names of fields, comma-separated; by default all fields of the job."
    )
    from_epoch: int = Field(0, ge=0, le=MAX_EPOCH, description="First epoch.")
    to_epoch: int | None = Field(None, ge=0, le=MAX_EPOCH, description="Last epoch.")
    max_points: int | None = Field(
        None,
        ge=2,
        le=MAX_EPOCH,
        description="Thin each history to about this many points; extremes and non-finite values are kept.",
    )
    format: FormatName | None = Field(None, description=FORMAT)
    excel: bool = Field(False, description=EXCEL)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to_epoch is not None and self.to_epoch < self.from_epoch:
            raise PydanticCustomError("epochs", "to_epoch must be at least from_epoch")
        return self

    def selection(self, spec: JobSpec) -> reading.Selection:
        """Give the selection for the problem of a spec."""
        limits = {"from_epoch": self.from_epoch, "to_epoch": self.to_epoch, "max_points": self.max_points}
        return reading.select_fields(spec, self.fields, **limits)


class HistoriesQuery(HistoryQuery):
    """Selection of runs, fields and epochs of the histories of a job."""

    labels: Labels | None = Field(None, description=LABELS)
    # With percent-encoded commas about 400 ids, or the indices of a page, fit into the 16 KiB of a URL.
    runs: str | None = Field(
        None,
        max_length=16_000,
        pattern=r"^[0-9a-f, -]*$",
        description="Only these runs: ids or indices, comma-separated.",
    )
    limit: int = Field(50, ge=1, le=500, description="Runs on a page; pages of long histories have fewer.")
    cursor: str | None = Field(None, max_length=200, description="`next` of the previous page.")
    last_event_id: str | None = Field(
        None,
        max_length=4_000,
        description="Only rows after this event; the answer has the id of the next position. Empty: from the start.",
    )
