"""What a spec refers to in its dataset, and the spec completed with it."""

from typing import Any

from service.database.connection import Database
from service.database.datasets.references import load
from service.errors import Rejected
from service.spec.datasets.decoded import DecodedTables
from service.spec.datasets.misfit import Misfit
from service.spec.datasets.resolution import resolve
from service.spec.job import JobSpec
from service.spec.problems.data import Data, Resolved

# Fields of a spec whose defaults depend on the data.
_DEPENDENT = ("batch_size", "shuffle", "dtype", "epochs", "seeds")


def resolved(database: Database, tables: DecodedTables, owner: str, problem: Data) -> tuple[Resolved, int | None]:
    """Read the dataset of a problem: its sizes, and its key if it is stored.

    Raises:
        Rejected: There is no such dataset, or it does not fit the problem.
    """
    try:
        key, digest, table = load(database, tables, owner, problem.dataset)
        return resolve(problem, digest, table), key
    except Misfit as misfit:
        errors = [{"loc": ["body", "problem", misfit.field], "msg": misfit.sentence}]
        raise Rejected(f"{misfit.sentence} (at body.problem.{misfit.field})", errors) from None


def with_resolved(spec: JobSpec, found: Resolved) -> dict[str, Any]:
    """Give the spec as a body without the defaults that depend on the data; it is to be validated again."""
    body = spec.as_dict()
    for name in _DEPENDENT:
        if name not in spec.model_fields_set:
            del body[name]
    body["problem"]["resolved"] = found.model_dump(mode="json")
    return body
