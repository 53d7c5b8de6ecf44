"""Limits of one job, and of all waiting and running jobs of one owner."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.database.statements import lock
from service.errors import Rejected, TooMuchOpen
from service.jobs import quotas
from service.jobs.quotas import OpenJobs, Size
from service.settings import Settings
from service.spec.batches import price_at_most
from service.spec.job import JobSpec
from service.spec.price import MAX_SHARD_BYTES, Price, price


def affordable(spec: JobSpec, settings: Settings) -> Price:
    """Compute the price of a job; of one that decides, that of its first seeds. Limits are for the most seeds.

    Raises:
        Rejected: The job exceeds a limit; the error names the limit.
    """
    most = price_at_most(spec)
    limits: list[tuple[str, float, float, str, str]] = [
        ("optimizers", most.runs_total, settings.max_runs, "runs (optimizers × seeds × starts)", "shorten grids"),
        ("epochs", most.rows_total, settings.max_rows, "metric rows", "raise record_every, or shorten epochs or grids"),
        ("problem", most.run_bytes, MAX_SHARD_BYTES, "bytes for a single run", "make the network or batches smaller"),
        ("epochs", most.work, settings.max_work, "updates × parameters", "shorten epochs or grids"),
        (
            "time_limit_seconds",
            spec.time_limit_seconds or 0,
            settings.max_job_seconds,
            "seconds to train",
            "set a lower limit",
        ),
    ]
    for place, number, limit, unit, remedy in limits:
        if number > limit:
            sentence = f"the job has {number:,.0f} {unit}; at most {limit:,.0f} are allowed: {remedy}"
            raise Rejected.at("body", place, sentence)
    return price(spec)


@dataclass
class Account:
    """What an owner has stored and what is open, in a transaction that holds the lock of the owner."""

    owner: str
    stored: Size
    waiting: OpenJobs

    def add(self, cost: Price, size: Size) -> None:
        """Count a new job."""
        open_ = self.waiting
        self.waiting = OpenJobs(open_.jobs + 1, open_.runs + cost.runs_total, open_.work + cost.work, open_.size + size)


def account_of(session: Session, owner: str) -> Account:
    """Lock and read the account of an owner."""
    # Concurrent requests of one owner would not see each other's jobs.
    lock(session, owner)
    return Account(owner, quotas.stored(session, owner), quotas.open_jobs(session, owner))


def check_open(session: Session, account: Account, cost: Price, size: Size, settings: Settings) -> None:
    """Check the limits and quotas of one owner before a job, or more of one, is stored.

    Raises:
        TooMuchOpen: The waiting and running jobs would exceed a limit.
        QuotaReached: The jobs of the owner would store too much.
    """
    waiting = account.waiting
    if waiting.jobs >= settings.max_open_jobs:
        raise TooMuchOpen(
            f"{waiting.jobs:,} jobs are waiting or running; at most {settings.max_open_jobs:,} are allowed: try later"
        )
    sums = (
        (waiting.work + cost.work, settings.max_open_work, "updates × parameters"),
        (waiting.runs + cost.runs_total, settings.max_open_runs, "runs"),
    )
    for total, limit, unit in sums:
        # A single job is always accepted; `affordable` limits its size.
        if waiting.jobs > 0 and total > limit:
            raise TooMuchOpen(
                f"this job and those that are waiting or running have {total:,.0f} {unit}; "
                f"at most {limit:,.0f} are allowed: try later"
            )
    quotas.check(session, account.owner, account.stored, waiting.size, size, settings)
