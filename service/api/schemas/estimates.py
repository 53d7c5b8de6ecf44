"""How sure a number is, as it is answered: its interval, and what many observations say together."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from service.api.schemas.answers import Answer, Number


def _null_if_nan(value: Any) -> Any:
    """An interval that there is none of is null: "NaN" would be a measured number."""
    return None if isinstance(value, float) and value != value else value


Bound = Annotated[Number | None, BeforeValidator(_null_if_nan)]


class EstimateAnswer(Answer):
    """A number and its 95 % interval."""

    value: Number
    """The estimate."""
    low: Bound
    """Lower end; null where a single observation gives no interval."""
    high: Bound
    """Upper end; null likewise."""


class SummaryAnswer(Answer):
    """What the runs say together."""

    num: int
    """Observations: one for each seed and start that is recorded."""
    median: EstimateAnswer
    """Half of the observations are below."""
    mean: EstimateAnswer
    """Arithmetic mean; not finite as soon as one observation is not."""
    iqm: EstimateAnswer
    """Interquartile mean: the mean without the lowest and the highest quarter."""
    smallest: Number
    """The smallest observation."""
    largest: Number
    """The largest observation."""
