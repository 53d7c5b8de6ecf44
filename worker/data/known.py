"""What is known of the linear model of a job before it is trained: computed once, and stored for all workers."""

from service.analysis.linear_theory import LinearTheory
from service.database.connection import Database
from service.database.datasets import known_minima, stored
from service.spec.datasets.table import Table
from service.spec.job import JobSpec
from service.spec.problems import Data
from worker.data.linear.solution import theory_of


def known_of(spec: JobSpec, table: Table | None, database: Database | None) -> LinearTheory | None:
    """Read the theory of a job, or compute and store it; None for jobs without one.

    Args:
        spec: The spec, resolved.
        table: Its dataset; None for jobs on other problems.
        database: The database; None where there is none, as in the verification of a bundle.
    """
    problem = spec.problem
    if table is None or not isinstance(problem, Data) or not known_minima.has_theory(problem):
        return None
    if database is None or problem.resolved is None:
        return theory_of(problem, table)
    with database.snapshot() as session:
        if (found := known_minima.find(session, problem)) is not None:
            return found
    computed = theory_of(problem, table)
    with database.transaction() as session:
        key = stored.find(session, None, problem.dataset, keep=True).key
        return known_minima.add(session, problem, key, computed)
