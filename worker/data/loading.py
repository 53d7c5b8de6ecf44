"""The dataset of a job that a worker trains, or that a bundle is verified with."""

from hashlib import sha256

from service.database.connection import Database
from service.errors import NotFound
from service.spec.datasets import builtin
from service.spec.datasets.table import Table
from service.spec.job import JobSpec
from service.spec.problems import Data
from worker import datasets


def table_of(spec: JobSpec, database: Database) -> Table | None:
    """Give the table of a job on data, and None for other jobs.

    Args:
        spec: The spec, resolved.
        database: The database of uploaded datasets.

    Raises:
        NotFound: There is no such dataset, or it has another content.
    """
    problem = spec.problem
    if not isinstance(problem, Data):
        return None
    if problem.resolved is None:
        return builtin.table(problem.dataset)
    return datasets.table(database, problem.dataset, problem.resolved.digest)


def table_of_file(spec: JobSpec, content: bytes | None, media_type: str) -> Table | None:
    """Give the table of a job on data from a file instead of a database, and None for other jobs.

    Args:
        spec: The spec, resolved.
        content: The file of its uploaded dataset; None where there is none.
        media_type: Of the file.

    Raises:
        NotFound: There is no file, or it is another one.
        Rejected: The file cannot be read.
    """
    problem = spec.problem
    if not isinstance(problem, Data):
        return None
    if problem.dataset in builtin.NAMES:
        return builtin.table(problem.dataset)
    if content is None:
        raise NotFound(
            f"it needs the uploaded dataset {problem.dataset!r}, which it does not contain: "
            "name its file with --dataset FILE"
        )
    digest = sha256(content).hexdigest()
    if problem.resolved is None or digest != problem.resolved.digest:
        raise NotFound(f"the file of the dataset {problem.dataset!r} is another one: its digest is {digest}")
    return datasets.decoded(digest, media_type, content)
