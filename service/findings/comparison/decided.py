"""The decision of a job in one sentence, and the looks at which it was judged."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.database.looks import Look
from service.database.tables import Job
from service.findings.comparison.cautions import caution
from service.findings.comparison.criterion import Measure
from service.findings.comparison.words import names, number, plural, spoken
from service.spec import criteria
from service.spec.decide import Decide
from service.spec.job import JobSpec

_VERDICTS = ("better", "equal", "worse", "undecided")


def looks_of(session: Session, job: Job) -> list[int] | None:
    """Give the numbers of judging seeds at the looks of a job; None if it does not decide."""
    if job.decision is None:
        return None
    ends, num = [], 0
    query = select(Look.outcomes).where(Look.job_key == job.key).order_by(Look.number)
    for outcomes in session.execute(query).scalars():
        num += len(outcomes[0])
        if outcomes[0]:
            ends.append(num)
    return ends


def decided(spec: JobSpec, job: Job, measure: Measure) -> str | None:
    """Write the decision of a job that has ended; None if there is none, or if it is about another criterion."""
    decide, decision = spec.decide, job.decision
    declared = criteria.quantity_of(spec.problem, spec.criterion, maximize=spec.maximize).name
    if decide is None or decision is None or decision["status"] == "open" or measure.name != declared:
        return None
    of_verdict = {
        verdict: [one["label"] for one in decision["labels"] if one["verdict"] == verdict] for verdict in _VERDICTS
    }
    said = [_said(decide, verdict, labels, spec) for verdict, labels in of_verdict.items() if labels]
    sure = f"{100 * decide.confidence:g} % confidence at every look"
    return f"{'; '.join(said)} ({plural(decision['seeds_used'], 'seed')}, {sure})."


def stopped(job: Job) -> list[dict[str, str]]:
    """Warn of a job that trained no further seeds because of a quota."""
    reason = (job.decision or {}).get("stopped")
    if reason is None:
        return []
    return [caution("quota_reached", f"No further seeds were trained: {reason}. The job can be continued.")]


def _said(decide: Decide, verdict: str, labels: list[str], spec: JobSpec) -> str:
    who, are = names([spoken(label) for label in labels]), "is" if len(labels) == 1 else "are"
    other = spoken(str(spec.optimizers[0].label)) if decide.against == "baseline" else "the best of the others"
    if verdict == "undecided":
        return f"{who} {are} undecided against {other}"
    if verdict == "equal":
        margin = f"{100 * decide.margin:.4g} %" if decide.margin_kind == "relative" else number(decide.margin)
        return f"{who} {are} equal to {other} within {margin}"
    return f"{who} {are} {verdict} than {other}"
