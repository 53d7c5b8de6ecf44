"""Comparison of the labels of one job: who is best, by how much, and how sure that is."""

from dataclasses import asdict
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.analysis.bootstrap import NUM_RESAMPLES, SEED
from service.analysis.simultaneous import CONFIDENCE
from service.database.states import JobStatus
from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.cautions import cautions
from service.findings.comparison.choice import Choice, best_row, choose
from service.findings.comparison.criterion import measure_of
from service.findings.comparison.decided import decided, looks_of, stopped
from service.findings.comparison.judged import (
    Judged,
    describe_pairs,
    describe_ranks,
    judge,
)
from service.findings.comparison.labels import describe_labels
from service.findings.comparison.measured import read_curves, read_table
from service.findings.comparison.predicted import theory_of
from service.findings.comparison.summary import describe_targets
from service.findings.comparison.table import Table
from service.findings.comparison.targets import Target, ladder_of, target_of
from service.findings.comparison.verdict import Circumstances, verdict
from service.jobs.specs import spec_of
from service.spec import criteria
from service.spec.criteria import Criterion
from service.spec.decide import is_random
from service.spec.job import JobSpec
from service.spec.starts import RandomStarts


def compare(
    session: Session,
    job: Job,
    *,
    baseline: str | None = None,
    target: float | None = None,
    tuned: bool | None = None,
    criterion: Criterion | None = None,
) -> dict[str, Any]:
    """Compare the labels of a job, from one snapshot of what is recorded.

    Args:
        session: Read from here.
        job: Which job; it may still be running.
        baseline: Label with which the others are compared; by default the first one. Ranks and verdict do not depend
            on it.
        target: Loss to reach; by default the spec's, else one that favours no label.
        tuned: Choose one setting of each label on half of the seeds and judge it on the other half; by default where a
            label has several settings.
        criterion: Criterion; by default the spec's, else the problem's.

    Raises:
        Rejected: There is no such baseline or criterion, or too many settings to compare each.
    """
    spec = spec_of(job)
    _check(spec, criterion)
    table = read_table(session, job, spec)
    choice = choose(table, tuned)
    base = _baseline(table, choice, baseline)
    ladder = ladder_of(spec, table, choice)
    aim = target_of(spec, table, choice, target, ladder)
    read_curves(session, job, spec, table, aim.loss, ladder, choice.rows)
    partial = job.status != JobStatus.COMPLETED or not bool(table.ended_SN.all())
    measure, looks = measure_of(spec, table, criterion), looks_of(session, job)
    confidence = spec.decide.confidence if spec.decide else CONFIDENCE
    found = judge(spec, table, choice, measure, partial=partial, looks=looks, confidence=confidence)
    around = _circumstances(spec, table, choice, found, aim, partial=partial)
    return {
        "job_id": job.id,
        "name": job.name,
        "status": job.status,
        "partial": partial,
        "verdict": decided(spec, job, measure) or verdict(found, around),
        "decision": job.decision,
        "criterion": _describe_criterion(found),
        "confidence": found.confidence,
        "seeds": table.runs.num_seeds,
        "starts": table.runs.num_starts,
        "replicates": found.num_seeds,
        "tuned": choice.is_tuned,
        "choosing_seeds": choice.num_choosing,
        "best": [found.labels[at] for at in sorted(found.best, key=found.order().index)],
        "seeds_needed": found.seeds_to_single_best(),
        "ranks": describe_ranks(found),
        "pairs": describe_pairs(found),
        "baseline": choice.labels[base],
        "target": asdict(aim),
        "targets": describe_targets(spec, table, choice, ladder),
        "intervals": {"level": CONFIDENCE, "resamples": NUM_RESAMPLES, "seed": SEED},
        "labels": describe_labels(job, spec, table, choice, found, base, aim.loss),
        "other_criteria": _others(spec, table, choice, found, aim, partial=partial, looks=looks),
        "warnings": [*cautions(spec, table, choice, found, aim, partial=partial), *stopped(job)],
        "theory": theory_of(session, job, spec),
    }


def compare_once(session: Session, job: Job, **options: Any) -> dict[str, Any]:
    """Compare the labels of a job, once for all pictures that are drawn from one snapshot.

    Options and errors are those of ``compare``. The answer is shared and must not be changed.
    """
    kept: dict[Any, dict[str, Any]] = session.info.setdefault("comparisons", {})
    asked = (job.key, *sorted(options.items()))
    if asked not in kept:
        kept[asked] = compare(session, job, **options)
    return kept[asked]


def _check(spec: JobSpec, criterion: Criterion | None) -> None:
    known = criteria.available(spec.problem)
    if criterion is not None and criterion not in known:
        raise Rejected.at("query", "criterion", f"this problem has no {criterion}; there are {', '.join(known)}")


def _baseline(table: Table, choice: Choice, label: str | None) -> int:
    """Find the position of the baseline among the compared labels."""
    if label is None:
        return 0
    if label in choice.labels:
        return choice.labels.index(label)
    if not choice.is_tuned:
        # The label of an entry with several settings, each of which is a label of its own here.
        for number, settings in enumerate(table.runs.entries):
            if settings.entry.label == label:
                return choice.rows.index(best_row(table, number))
    known = ", ".join(choice.labels[:20]) + (" …" if len(choice.labels) > 20 else "")
    sentence = f"no label of this comparison is {label!r}; there are {known}"
    if choice.is_tuned and any(table.runs.labelled(label)):
        sentence += ". With tuned=false single settings are labels"
    raise Rejected.at("query", "baseline", sentence)


def _describe_criterion(found: Judged) -> dict[str, Any]:
    measure = found.measure
    return {
        "name": measure.name,
        "scale": measure.scale,
        "declared": measure.declared,
        "larger_is_better": measure.larger_is_better,
        "least": measure.least if measure.scale == "log" and measure.name != "epochs_to_target" else None,
        "untrained": measure.untrained,
    }


def _others(
    spec: JobSpec,
    table: Table,
    choice: Choice,
    found: Judged,
    aim: Target,
    *,
    partial: bool,
    looks: list[int] | None,
) -> list[dict[str, Any]]:
    """Judge the same labels by the other criteria, so that a choice of the criterion shows."""
    others = []
    for name in criteria.available(spec.problem):
        if name == found.measure.name:
            continue
        other = judge(
            spec,
            table,
            choice,
            measure_of(spec, table, name),
            partial=partial,
            looks=looks,
            confidence=found.confidence,
        )
        around = _circumstances(spec, table, choice, other, aim, partial=partial)
        others.append({
            "name": name,
            "scale": other.measure.scale,
            "best": [other.labels[at] for at in sorted(other.best, key=other.order().index)],
            "verdict": verdict(other, around),
        })  # fmt: skip
    return others


def _circumstances(
    spec: JobSpec, table: Table, choice: Choice, found: Judged, aim: Target, *, partial: bool
) -> Circumstances:
    rows = [choice.rows[at] for at in found.positions]
    recorded_SN = table.recorded_SN[rows]
    rates = [float(table.setting(row).optimizer["lr"]) for row in choice.rows]
    reached = []
    for row in rows:
        there = choice.values(table, table.recorded_SN, row)
        epochs = choice.values(table, table.first_SN, row)[there]
        reached.append((int(np.isfinite(epochs).sum()), int(there.sum())))
    return Circumstances(
        is_partial=partial,
        is_random=table.num_seeds > 1 or is_random(spec),
        starts_are_fixed=not _draws_starts(spec),
        is_tuned=choice.is_tuned and not choice.on_judged,
        all_diverged=bool(recorded_SN.any() and table.diverged_SN[rows][recorded_SN].all()),
        smallest_lr=min(rates),
        unit="step" if spec.problem.is_landscape else "epoch",
        target=aim.loss,
        reached=reached,
    )


def _draws_starts(spec: JobSpec) -> bool:
    return isinstance(getattr(spec.problem, "starts", None), RandomStarts)
