"""Kinds that live workers offer from installed classes: bodies of jobs with them, and their catalogue."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from service.database.connection import Database
from service.jobs import offers
from service.spec.job import JobSpec
from service.spec.offers import Offer
from service.spec.plugin import Plugin
from service.spec.presets.expansion import UnsettledJob
from service.spec.spaces import default_space


def settled(posted: JobSpec | UnsettledJob, database: Database) -> JobSpec:
    """Give the spec of a posted job.

    Raises:
        RequestValidationError: It is not a spec, or no live worker offers a kind.
    """
    if isinstance(posted, JobSpec):
        return posted
    with database.snapshot() as session:
        known = offers.live(session)
    try:
        return posted.spec(known)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found, body=posted.body) from error


def offered_entry(offer: Offer) -> dict[str, Any]:
    """Describe an offered kind as the catalogue describes the others."""
    schema = Plugin.model_json_schema()
    for name in ("kind", "run_by_run"):
        schema["properties"].pop(name)
    schema.pop("description")
    schema["properties"] |= {one.name: one.schema_part() for one in offer.hyper_parameters}
    schema |= {"required": [], "additionalProperties": False}
    how = "one optimizer steps all runs of a setting" if offer.elementwise else "each run has an optimizer of its own"
    space = {name: interval.model_dump(by_alias=True) for name, interval in default_space(offer.kind).items()}
    return {
        "kind": offer.kind,
        "title": offer.class_name.rpartition(".")[2],
        "short_name": offer.class_name.rpartition(".")[2],
        "description": f"The class {offer.class_name}, offered by a worker; {how}.",
        "formula": f"w ← w + step of {offer.class_name}(lr, …)",
        "reference": offer.package,
        "parameters": schema,
        "state_per_parameter": offer.state_per_parameter,
        "learning_rates": {},
        "default_space": space,
        "has_theory": False,
        "as_formula": None,
        "program": None,
        "offered": {
            "class_name": offer.class_name,
            "package": offer.package,
            "entry": offer.start(),
            "run_by_run": not offer.elementwise,
            "run_by_run_with": list(offer.run_by_run_with),
            "left_out": offer.left_out,
        },
    }
