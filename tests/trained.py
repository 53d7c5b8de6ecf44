"""Jobs trained in the process of the test, with the functions of workers and without an API."""

from typing import Any

from service.database.connection import Database
from service.jobs import lifecycle
from service.spec.job import JobSpec
from service.spec.price import price
from tests.deciding import train


def trained(database: Database, spec: dict[str, Any], *, owner: str = "") -> str:
    """Create a job, train it to its end, and give its id."""
    parsed = JobSpec.model_validate(spec)
    cost = price(parsed)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, parsed, cost, owner=owner)
    train(database, job.key)
    return job.id
