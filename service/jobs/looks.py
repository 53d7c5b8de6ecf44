"""Looks of jobs that decide: the verdicts from the outcomes so far, and the next batch of seeds. No function commits.

A look is taken in the transaction that ends the last shard of a batch. It queues the shards of the next batch there, or
the job ends. The decision is a function of stored outcomes, so interruptions do not change it.
"""

from itertools import accumulate
from typing import Any

import numpy as np
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.analysis.decisions import Decision, Rule, decide
from service.analysis.replicates import distinct
from service.database.looks import Look
from service.database.tables import Job, Shard
from service.errors import QuotaReached
from service.jobs import quotas
from service.jobs.division import store_more
from service.jobs.limits import account_of
from service.jobs.messages import channel_of
from service.jobs.outcomes import choose_settings, read_digests, read_values
from service.jobs.specs import chosen_settings, runs_of, spec_of
from service.settings import Settings
from service.spec.batches import batches_of
from service.spec.criteria import quantity_of
from service.spec.job import JobSpec
from service.spec.offered_kinds import offered_kinds
from service.spec.price import Price, price

OPEN, UNDECIDED = "open", "undecided"
# What is stored of a decision besides its shown parts.
_STATE = ("max_seeds", "former_ends", "chosen")
# The trained seeds of a look in its decision, where some of them do not count.
_TRAINED = "num_trained"


def new_decision(spec: JobSpec) -> dict[str, Any] | None:
    """Give the decision of a new job: open, without seeds; None for a job that does not decide."""
    if spec.decide is None:
        return None
    state = {"max_seeds": spec.decide.max_seeds, "former_ends": [], "chosen": None}
    return {**_decide(spec, np.empty((len(spec.optimizers), 0)), state), **state}


def take(session: Session, job: Job) -> str:
    """Judge the outcomes of the batch that has ended and of those before it, store the decision, and give its status.

    The first seeds of a job with several settings of a label choose among them instead. The row of the job must be
    locked, and all of its runs ended.
    """
    assert job.decision is not None
    spec, runs = spec_of(job), runs_of(job)
    num_choosing = batches_of(spec).choosing_seeds
    if num_choosing and chosen_settings(job.decision) is None:
        decision = {**job.decision, "chosen": choose_settings(session, job, runs)}
        session.execute(update(Job).where(Job.key == job.key).values(decision=decision))
        return OPEN
    earlier = session.execute(select(Look).where(Look.job_key == job.key).order_by(Look.number)).scalars().all()
    settings = chosen_settings(job.decision) or list(range(runs.num_settings))
    first = num_choosing + sum(_num_trained(look) for look in earlier)
    batch_KJ = read_values(session, job.key, runs, settings, range(first, runs.num_seeds))
    # Seeds with the histories of an earlier one are no further evidence.
    digest_SJT = read_digests(session, job.key, runs, settings, range(num_choosing, runs.num_seeds))
    counted_J = distinct(digest_SJT) + num_choosing
    batch_KJ = batch_KJ[:, counted_J[counted_J >= first] - first]
    values_KJ = np.concatenate([*(np.array(look.outcomes) for look in earlier), batch_KJ], axis=1)
    state = {name: job.decision[name] for name in _STATE}
    # Where all seeds count, the looks follow from the spec.
    ends = [*accumulate(len(look.outcomes[0]) for look in earlier), values_KJ.shape[1]]
    found = _decide(spec, values_KJ, state, None if ends[-1] == runs.num_seeds - num_choosing else tuple(ends))
    if found["status"] == OPEN and runs.num_seeds >= state["max_seeds"]:
        found["status"] = UNDECIDED
    decision = {**found, "max_seeds": state["max_seeds"]}
    if batch_KJ.shape[1] < runs.num_seeds - first:
        decision[_TRAINED] = runs.num_seeds - first
    session.add(Look(job_key=job.key, number=len(earlier), decision=decision, outcomes=batch_KJ.tolist()))
    session.execute(update(Job).where(Job.key == job.key).values(decision={**found, **state}))
    return str(found["status"])


def next_cost(job: Job, max_seeds: int | None = None) -> Price:
    """Compute the price of the next batch of seeds, up to ``max_seeds``, by default those of the job."""
    assert job.decision is not None
    spec = spec_of(job)
    batches = batches_of(spec, max_seeds or job.decision["max_seeds"])
    num_seeds = batches.seeds(job.runs_total)
    return price(spec, batches.runs(batches.next_look(num_seeds)) - job.runs_total)


def why_stopped(session: Session, job: Job, settings: Settings) -> str | None:
    """Say why the next batch of seeds may not be queued: its rows would exceed a quota of the owner. None if it may."""
    spec, cost = spec_of(job), next_cost(job)
    account = account_of(session, job.owner)
    try:
        quotas.check(session, job.owner, account.stored, account.waiting.size, quotas.most(spec, cost), settings)
    except QuotaReached as reached:
        return reached.detail
    return None


def stop(session: Session, job: Job, reason: str) -> None:
    """Leave a job undecided at its last look, from which it can be continued like any undecided job."""
    assert job.decision is not None
    num_seeds = batches_of(spec_of(job)).seeds(job.runs_total)
    decision = {**job.decision, "status": UNDECIDED, "max_seeds": num_seeds, "stopped": reason}
    session.execute(update(Job).where(Job.key == job.key).values(decision=decision))


def queue_next(session: Session, job: Job) -> tuple[str, int]:
    """Queue the shards of the next batch of seeds, and give their channel and their number."""
    spec, cost = spec_of(job), next_cost(job)
    size = quotas.most(spec, cost)
    num_shards = session.execute(select(func.count()).where(Shard.job_key == job.key)).scalar_one()
    # The queue follows from the time of the whole job so far: many batches are not interactive.
    queue = price(spec, job.runs_total + cost.runs_total).queue
    store_more(session, job, cost, number=num_shards, first_run=job.runs_total, queue=queue)
    session.execute(
        update(Job)
        .where(Job.key == job.key)
        .values(
            runs_total=job.runs_total + cost.runs_total,
            epochs_total=job.epochs_total + cost.epochs_total,
            work=job.work + cost.work,
            rows_total=job.rows_total + size.rows,
            bytes_total=job.bytes_total + size.bytes,
        )
    )
    return channel_of(queue, offered_kinds(job.spec)), cost.num_shards


def _num_trained(look: Look) -> int:
    return int(look.decision.get(_TRAINED, len(look.outcomes[0])))


def _decide(
    spec: JobSpec, values_KJ: Any, state: dict[str, Any], looks: tuple[int, ...] | None = None
) -> dict[str, Any]:
    """Judge the values of all labels, [labels, seeds], and give the shown parts of the decision.

    ``looks`` are the numbers of seeds at the looks, where they do not follow from the spec.
    """
    wanted, batches = spec.decide, batches_of(spec, state["max_seeds"])
    assert wanted is not None
    labels = [str(entry.label) for entry in spec.optimizers]
    quantity = quantity_of(spec.problem, spec.criterion, maximize=spec.maximize)
    rule = Rule(
        margin=wanted.margin,
        is_relative=wanted.margin_kind == "relative",
        confidence=wanted.confidence,
        against=wanted.against,
        first_look=batches.first_look,
        batch=batches.batch,
        max_seeds=batches.max_seeds - batches.choosing_seeds,
        former_ends=tuple(end - batches.choosing_seeds for end in state["former_ends"]),
        looks=looks,
    )
    found = decide(
        dict(zip(labels, values_KJ, strict=True)),
        rule,
        baseline=labels[0],
        scale=quantity.scale,
        maximize=quantity.larger_is_better,
    )
    return _shown(found)


def _shown(found: Decision) -> dict[str, Any]:
    labels = [
        {
            "label": one.label,
            "verdict": one.verdict,
            "interval": None if one.low is None or one.high is None else [one.low, one.high],
            "seeds": one.seeds,
        }
        for one in found.labels
    ]
    return {"status": found.status, "seeds_used": found.seeds_used, "labels": labels}
