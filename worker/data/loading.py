"""The dataset of a job that a worker trains, or that a bundle is verified with."""

from service.database.connection import Database
from service.datasets import builtin
from service.datasets.table import Table
from service.errors import NotFound
from service.spec.job import JobSpec
from service.spec.problems import Data
from worker import datasets


def table_of(spec: JobSpec, database: Database | None) -> Table | None:
    """Give the table of a job on data, and None for other jobs.

    Args:
        spec: The spec, resolved.
        database: The database of uploaded datasets; None where there is none.

    Raises:
        NotFound: There is no such dataset, or it has another content.
    """
    problem = spec.problem
    if not isinstance(problem, Data):
        return None
    if database is not None and problem.resolved is not None:
        return datasets.table(database, problem.dataset, problem.resolved.digest)
    if problem.dataset in builtin.NAMES:
        return builtin.table(problem.dataset)
    raise NotFound(f"it needs the uploaded dataset {problem.dataset!r}, which no bundle contains")
