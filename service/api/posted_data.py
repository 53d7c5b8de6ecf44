"""Posted specs on data, completed from their dataset; errors of the completion are errors of the body."""

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from service.database.connection import Database
from service.jobs.resolved_data import resolved, with_resolved
from service.spec.datasets.decoded import DecodedTables
from service.spec.job import JobSpec
from service.spec.problems import Data


def complete(spec: JobSpec, owner: str, database: Database, tables: DecodedTables) -> tuple[JobSpec, int | None]:
    """Fill in what the spec refers to in its dataset, and give the key of a stored dataset.

    Raises:
        Rejected: There is no such dataset, or it does not fit the problem.
        RequestValidationError: The sizes of the data rule out other fields.
    """
    if not isinstance(spec.problem, Data):
        return spec, None
    found, key = resolved(database, tables, owner, spec.problem)
    body = with_resolved(spec, found)
    try:
        return JobSpec.model_validate(body, context={"is_stored": True}), key
    except ValidationError as error:
        errors = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(errors, body=body) from None
