"""Extra fields of a job: those that are measured on request."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from service.spec.fields import Several
from service.spec.metric_fields import MEASURES


def _measurable(measures: list[str]) -> list[str]:
    """Return the names, or reject one that is unknown or given twice."""
    for name in measures:
        if name not in MEASURES:
            known = ", ".join(MEASURES)
            raise PydanticCustomError(
                "measure", "nothing extra is called '{name}'; there are {known}", {"name": name, "known": known}
            )
        if measures.count(name) > 1:
            raise PydanticCustomError("measure", "'{name}' is given twice", {"name": name})
    return measures


Measures = Annotated[Several[str], AfterValidator(_measurable)]
