"""Models of answers with estimates: a number with its interval, and the summary of many observations."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from service.api.schemas.answers import Answer, Number


def _null_if_nan(value: Any) -> Any:
    """Replace NaN by None: a missing interval is null, because "NaN" would be a measured number."""
    return None if isinstance(value, float) and value != value else value


Bound = Annotated[Number | None, BeforeValidator(_null_if_nan)]


class EstimateAnswer(Answer):
    """A number and its 95 % interval."""

    value: Number
    """The estimate."""
    low: Bound
    """Lower end of the interval; null with fewer than six observations."""
    high: Bound
    """Upper end of the interval; null with fewer than six observations."""


class SummaryAnswer(Answer):
    """Summary over seeds."""

    num: int
    """Number of observations: one for each distinct seed, the mean over its starts."""
    median: EstimateAnswer
    """Median."""
    mean: EstimateAnswer
    """Arithmetic mean; not finite if an observation is not."""
    iqm: EstimateAnswer
    """Interquartile mean: the mean without the lowest and the highest quarter."""
    smallest: Number
    """The smallest observation."""
    largest: Number
    """The largest observation."""
