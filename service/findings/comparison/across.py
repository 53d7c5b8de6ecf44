"""Comparison of labels over several problems: ranks, performance profiles, runtime distributions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.analysis.profiles import PRECISIONS, band_of, resampled_means
from service.analysis.simultaneous import CONFIDENCE, MIN_SEEDS
from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.across_cautions import cautions_across
from service.findings.comparison.across_verdict import fewest, verdict_across
from service.findings.comparison.criterion import Measure
from service.findings.comparison.evidence import NUM_RATIOS, RATIOS, Evidence, read_evidence
from service.findings.comparison.judged import Judged, describe_pairs, describe_ranks, judged
from service.findings.comparison.members import Member, by_problem, common_labels, members_of
from service.findings.comparison.table import Floats
from service.jobs.specs import spec_of

NUM_BUDGETS = 40


def compare_across(session: Session, jobs: Sequence[Job], target: float | None) -> dict[str, Any]:
    """Compare the labels that all jobs have by the epochs that they need.

    Replicates are problems. The answer depends neither on the order of the jobs nor on their other labels.

    Args:
        session: Read from here.
        jobs: Which jobs; they may still be running.
        target: Loss to reach; by default those of the specs, else the whole ladder of each problem.

    Raises:
        Rejected: No label is in all jobs, there is nothing recorded, or every run begins at the target.
    """
    specs = [spec_of(job) for job in jobs]
    labels = common_labels(specs)
    if not labels:
        lists = "; ".join(f"{job.id}: {', '.join(str(entry.label) for entry in spec.optimizers)}"
                          for job, spec in zip(jobs, specs, strict=True))  # fmt: skip
        raise Rejected.at("query", "jobs", f"no label is in all of these jobs ({lists})")
    members = members_of(session, jobs, specs, labels)
    for member in members:
        _check(member, labels)
    budgets = np.unique(np.round(np.geomspace(1, max(spec.epochs for spec in specs), NUM_BUDGETS)))
    evidence = [read_evidence(session, group, target, budgets) for group in by_problem(members)]
    problems = [one for one in evidence if one.num_seeds]
    if not problems:
        raise Rejected.at("query", "target", "every run of these jobs begins at its target; give a smaller loss")
    partial = any(member.is_partial for member in members)
    found = _judge(problems, labels, partial=partial)
    return {
        "partial": partial,
        "verdict": verdict_across(found, any_solved=any(one.solved_L.any() for one in problems), partial=partial),
        "warnings": cautions_across(evidence),
        "confidence": CONFIDENCE,
        "replicates": len(problems),
        "best": [labels[at] for at in sorted(found.best, key=found.order().index)],
        "ranks": describe_ranks(found),
        "pairs": [
            {**{name: value for name, value in pair.items() if name not in OF_SEEDS},
             "problems": len(problems)}
            for pair in describe_pairs(found)
        ],
        "problems": [
            _describe_problem(one, [labels[at] for at in least], labels)
            for one, least in zip(problems, fewest(found), strict=True)
        ],
        "jobs": [described for one in evidence for described in _describe_jobs(one, problems)],
        "profile_ratios": RATIOS.tolist(),
        "budgets": budgets.tolist(),
        "precisions": PRECISIONS.tolist(),
        "labels": _describe_labels(problems, labels),
    }  # fmt: skip


# Fields of a pair that count seeds; the replicates here are problems.
OF_SEEDS = ("seeds", "seeds_needed", "over_starts")


def _check(member: Member, labels: Sequence[str]) -> None:
    recorded = [member.choice.values(member.table, member.table.recorded_SN, row) for row in member.choice.rows]
    if not np.stack(recorded).all(axis=(0, 2)).any():
        raise Rejected.at("query", "jobs", f"job {member.job.id} has nothing recorded of {' or '.join(labels)} yet")


def _judge(problems: Sequence[Evidence], labels: list[str], *, partial: bool) -> Judged:
    """Compare the labels on all problems: replicates are problems, each with the mean over its seeds."""
    measure = Measure(
        name="epochs_to_target", scale="log", declared=False, larger_is_better=False, least=0.0, untrained=None
    )
    cost_LP = np.array([one.cost_L for one in problems]).T
    return judged(measure, labels, cost_LP[:, :, None], claims=not partial)


def _describe_problem(one: Evidence, least: list[str], labels: list[str]) -> dict[str, Any]:
    return {
        "name": getattr(one.members[0].spec.problem, "name", None) or one.members[0].spec.problem.kind,
        "jobs": [job.id for member in one.members for job in [member.job, *member.same]],
        "epochs": one.epochs,
        "seeds": one.num_seeds,
        "starts": one.members[0].table.num_starts,
        "target": one.goals.describe(),
        "least_loss": one.goals.least,
        "least_loss_source": one.goals.least_source,
        "fewest": least,
        "labels": [
            {"label": label, "epochs": float(one.epochs * np.exp(cost)), "solved": float(solved)}
            for label, cost, solved in zip(labels, one.cost_L, one.solved_L, strict=True)
        ],
    }


def _describe_jobs(one: Evidence, problems: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Describe the jobs of a problem; a job with the spec of another one counts for nothing."""
    number = problems.index(one) if one.num_seeds else None
    found = []
    for member, counted in zip(one.members, one.counted, strict=True):
        settings = [member.table.setting(row).label for row in member.choice.rows]
        for job in [member.job, *member.same]:
            is_same = job is not member.job
            seeds = 0 if is_same else counted
            found.append({
                "job_id": job.id, "name": job.name, "status": job.status, "problem": number,
                "same_spec_as": member.job.id if is_same else None,
                "choosing_seeds": member.choice.num_choosing, "judging_seeds": member.num_judging,
                "counted_seeds": seeds, "instances": seeds * member.table.num_starts, "settings": settings,
            })  # fmt: skip
    return found


def _describe_labels(problems: Sequence[Evidence], labels: list[str]) -> list[dict[str, Any]]:
    """Average the numbers of all seeds, and give the bands of resampled problems and seeds."""
    mean_LC = np.mean([one.numbers_ULC.mean(axis=0) for one in problems], axis=0)
    low_LC, high_LC = np.full_like(mean_LC, np.nan), np.full_like(mean_LC, np.nan)
    if len(problems) > 1 or problems[0].num_seeds >= MIN_SEEDS:
        ends = band_of(resampled_means([one.numbers_ULC.reshape(one.num_seeds, -1) for one in problems]))
        low_LC, high_LC = (end.reshape(mean_LC.shape) for end in ends)
    profile, runtimes = slice(2, 2 + NUM_RATIOS), slice(2 + NUM_RATIOS, None)
    return [
        {
            "label": label,
            "score": {"value": mean_C[0], "low": low_C[0], "high": high_C[0]},
            "solved": mean_C[1],
            "profile": _curve(mean_C[profile], low_C[profile], high_C[profile]),
            "runtimes": _curve(mean_C[runtimes], low_C[runtimes], high_C[runtimes]),
        }
        for label, mean_C, low_C, high_C in zip(labels, mean_LC, low_LC, high_LC, strict=True)
    ]


def _curve(share_T: Floats, low_T: Floats, high_T: Floats) -> dict[str, list[float] | None]:
    has_band = not np.isnan(low_T).any()
    return {
        "share": share_T.tolist(),
        "low": low_T.tolist() if has_band else None,
        "high": high_T.tolist() if has_band else None,
    }
