"""The dataset of a job that a worker trains."""

from service.database.connection import Database
from service.datasets import builtin
from service.datasets.table import Table
from service.spec.job import JobSpec
from service.spec.problems import Data


class NotBuiltIn(Exception):
    """The dataset is neither built in nor at hand."""


def table_of(spec: JobSpec, database: Database | None) -> Table | None:
    """Give the table of a job on data, and None for other jobs.

    Args:
        spec: The spec, resolved.
        database: The database of uploaded datasets; None where there is none.

    Raises:
        NotBuiltIn: The dataset is an uploaded one that cannot be read here.
    """
    if not isinstance(spec.problem, Data):
        return None
    if spec.problem.dataset in builtin.NAMES:
        return builtin.table(spec.problem.dataset)
    raise NotBuiltIn(f"dataset {spec.problem.dataset} is not built in")
