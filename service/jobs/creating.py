"""Storage of new jobs with their shards, several in one transaction. No function commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database.datasets import stored
from service.database.ids import new_job_id
from service.database.tables import Job
from service.errors import RavineError, Rejected
from service.jobs import quotas
from service.jobs.division import store_shards
from service.jobs.limits import Account, account_of, check_open
from service.jobs.looks import new_decision
from service.jobs.quotas import Size
from service.settings import Settings
from service.spec.batches import price_at_most
from service.spec.job import JobSpec
from service.spec.price import Price
from service.spec.problems import Data


@dataclass(frozen=True)
class Order:
    """A job to be stored. What follows from its spec is computed once."""

    spec: JobSpec
    cost: Price
    owner: str = ""
    dataset_key: int | None = None
    idempotency_key: str | None = None
    traceparent: str | None = None

    def compute(self) -> None:
        """Compute now what the transaction will read."""
        _ = self.columns

    @cached_property
    def size(self) -> Size:
        """The most that the job may store."""
        return quotas.most(self.spec, self.cost)

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The columns of the row of the job, without its id and time."""
        spec, cost = self.spec, self.cost
        return {
            "name": spec.name,
            "name_folded": spec.name.casefold(),
            "problem": spec.problem.kind,
            "spec": spec.as_dict(),
            "spec_digest": spec.digest(),
            "runs_total": cost.runs_total,
            "epochs_total": cost.epochs_total,
            "runs_max": price_at_most(spec).runs_total if spec.decide else None,
            "decision": new_decision(spec),
            "idempotency_key": self.idempotency_key,
            "owner": self.owner,
            "dataset_key": self.dataset_key,
            "work": cost.work,
            "rows_total": self.size.rows,
            "bytes_total": self.size.bytes,
            "traceparent": self.traceparent,
        }


@dataclass(frozen=True)
class Created:
    """A stored job, and whether it is new: an earlier request may have had the same idempotency key and body."""

    job: Job
    is_new: bool


def create_all(
    session: Session, orders: Sequence[Order], settings: Settings | None = None
) -> list[Created | RavineError]:
    """Store jobs with their shards, in their order. With settings, the limits of their owners apply.

    An order that is refused changes nothing and does not affect the others; its error takes the place of its job:
    Rejected (its idempotency key was used for another body), TooMuchOpen, QuotaReached, or that of a missing dataset.
    """
    # In one order in all processes, so that none waits for another that waits for it.
    owners = sorted({order.owner for order in orders}) if settings is not None else []
    accounts = {owner: account_of(session, owner) for owner in owners}
    found: list[Created | RavineError] = []
    for order in orders:
        try:
            found.append(_create(session, order, accounts.get(order.owner), settings))
        except RavineError as error:
            found.append(error)
    new = [
        (one.job, order.cost)
        for one, order in zip(found, orders, strict=True)
        if isinstance(one, Created) and one.is_new
    ]
    if new:
        session.flush()
        store_shards(session, new)
    return found


def _create(session: Session, order: Order, account: Account | None, settings: Settings | None) -> Created:
    """Add the row of a job to the session, or find the job of an earlier request."""
    if known := _known(session, order):
        return Created(known, is_new=False)
    if order.dataset_key is not None and isinstance(order.spec.problem, Data):
        # No other transaction deletes it before this one has ended.
        stored.find(session, order.owner, order.spec.problem.dataset, keep=True)
    if account is not None and settings is not None:
        check_open(session, account, order.cost, order.size, settings)
    job = Job(id=new_job_id(), created_at=datetime.now(UTC), **order.columns)
    if order.idempotency_key is None:
        session.add(job)
    else:
        try:
            with session.begin_nested():
                session.add(job)
                session.flush()
        except IntegrityError:
            # Another request with the same key has just been stored.
            if known := _known(session, order):
                return Created(known, is_new=False)
            raise
    if account is not None:
        account.add(order.cost, order.size)
    return Created(job, is_new=True)


def _known(session: Session, order: Order) -> Job | None:
    """Find the job of an earlier request with the same idempotency key."""
    if order.idempotency_key is None:
        return None
    chosen = Job.owner == order.owner, Job.idempotency_key == order.idempotency_key
    job = session.execute(select(Job).where(*chosen)).scalar_one_or_none()
    if job is not None and job.spec_digest != order.columns["spec_digest"]:
        sentence = "this Idempotency-Key was used for another body; use a new key for a new job"
        raise Rejected.at("header", "Idempotency-Key", sentence)
    return job
