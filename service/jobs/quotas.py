"""Quotas of stored rows and bytes per owner, ended jobs included. No function commits.

Bytes are estimates of the size of rows on disk, with their share of indexes: 120 bytes for a metric row of 8 values.
The sums are stored in ``usage``, in the transactions that write or delete rows, so that a request counts no rows.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from service.database.accounts import Usage
from service.database.bulk import MetricRows
from service.database.statements import upsert
from service.database.tables import JOB_IS_OPEN, Job, Shard
from service.errors import QuotaReached
from service.jobs.tallies import SLOT
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.metric_fields import FIELDS
from service.spec.price import Price
from service.spec.snapshots import snapshot_bytes

ROW_BYTES = 56
VALUE_BYTES = 8
RUN_BYTES = 150
DECISION_BYTES = 3_300


@dataclass(frozen=True)
class Size:
    """A number of metric rows, and the bytes of all stored rows."""

    rows: int = 0
    bytes: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(self.rows + other.rows, self.bytes + other.bytes)

    def __sub__(self, other: "Size") -> "Size":
        return Size(self.rows - other.rows, self.bytes - other.bytes)


def most(spec: JobSpec, cost: Price) -> Size:
    """Give the most that a job may store."""
    fields = (*spec.problem.fields, *spec.measure)
    num_values = sum(len(FIELDS[name].columns) or 1 for name in fields)
    decision = DECISION_BYTES + snapshot_bytes(spec) if spec.problem.kind == "playground" else 0
    rows = cost.rows_total * (ROW_BYTES + VALUE_BYTES * num_values)
    return Size(cost.rows_total, rows + cost.runs_total * (RUN_BYTES + decision))


def of_rows(rows: MetricRows | None) -> Size:
    """Give the size of metric rows."""
    if rows is None:
        return Size()
    num_rows = int(rows.epoch_N.size)
    return Size(num_rows, num_rows * ROW_BYTES + int(rows.measured_FN.sum()) * VALUE_BYTES)


def of_runs(num_runs: int, num_decisions: int, weights: int = 0) -> Size:
    """Give the size of the rows of runs and of decision maps, each with so many bytes of weights."""
    return Size(bytes=RUN_BYTES * num_runs + (DECISION_BYTES + weights) * num_decisions)


def add(session: Session, owner: str, size: Size) -> None:
    """Add to what an owner has stored; a negative size is subtracted."""
    if size != Size():
        row = {"owner": owner, "slot": SLOT, "num_rows": size.rows, "num_bytes": size.bytes}
        upsert(session, Usage, [row], key=("owner", "slot"), add=("num_rows", "num_bytes"))


def stored(session: Session, owner: str) -> Size:
    """Give what an owner has stored, with deleted jobs whose rows are not removed yet."""
    rows, size = session.execute(_STORED, {"of_owner": owner}).one()
    return Size(int(rows), int(size))


def unwritten(session: Session, owner: str) -> Size:
    """Give what the open jobs of an owner may still store."""
    rows, size = session.execute(_WRITTEN, {"of_owner": owner}).one()
    return open_jobs(session, owner).size - Size(int(rows), int(size))


@dataclass(frozen=True)
class OpenJobs:
    """The number of waiting and running jobs of an owner, and their runs, work and the most that they may store."""

    jobs: int
    runs: int
    work: float
    size: Size


def open_jobs(session: Session, owner: str) -> OpenJobs:
    """Add up the waiting and running jobs of an owner."""
    jobs, runs, work, rows, size = session.execute(_OPEN, {"of_owner": owner}).one()
    return OpenJobs(jobs, int(runs), float(work), Size(int(rows), int(size)))


def count_jobs(session: Session, owner: str) -> tuple[int, int]:
    """Count the jobs of an owner, and their runs."""
    jobs, runs = session.execute(_JOBS, {"of_owner": owner}).one()
    return jobs, int(runs)


def check(session: Session, owner: str, used: Size, waiting: Size, new: Size, settings: Settings) -> None:
    """Check that an owner may store another job, given what is stored and the most that the open jobs may store.

    Raises:
        QuotaReached: What is stored and what the open jobs and the new one may store would exceed a limit.
    """
    # Counts what open jobs have written twice, and reads no shard; it decides almost every request.
    if _excess(used + waiting + new, settings) is None:
        return
    left = unwritten(session, owner)
    if (excess := _excess(used + left + new, settings)) is None:
        return
    name, unit, limit = excess
    raise QuotaReached(
        f"{getattr(used, name):,} {unit} are stored, open jobs may add {getattr(left, name):,} and this job "
        f"{getattr(new, name):,}; at most {limit:,} are allowed: delete jobs (deleted rows count until they are "
        "removed), set ttl_seconds, or raise record_every"
    )


def _excess(size: Size, settings: Settings) -> tuple[str, str, int] | None:
    if size.rows > settings.max_stored_rows:
        return "rows", "metric rows", settings.max_stored_rows
    if size.bytes > settings.max_stored_bytes:
        return "bytes", "bytes", settings.max_stored_bytes
    return None


def _sums(*columns: Any) -> list[Any]:
    return [func.coalesce(func.sum(column), 0) for column in columns]


# Built once, because building one takes longer than running it.
_OWNER = bindparam("of_owner", type_=Job.owner.type)
_IS_OPEN = Job.owner == _OWNER, JOB_IS_OPEN
_STORED = select(*_sums(Usage.num_rows, Usage.num_bytes)).where(Usage.owner == _OWNER)
_WRITTEN = select(*_sums(Shard.num_rows, Shard.num_bytes)).where(Shard.job_key.in_(select(Job.key).where(*_IS_OPEN)))
_OPEN = select(func.count(), *_sums(Job.runs_total, Job.work, Job.rows_total, Job.bytes_total)).where(*_IS_OPEN)
_JOBS = select(func.count(), *_sums(Job.runs_total)).where(Job.owner == _OWNER)
