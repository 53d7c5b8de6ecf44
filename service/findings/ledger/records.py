"""What has become of the lessons: which jobs were submitted for each, and what they came to? No function commits."""

import json
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.database.statements import upsert
from service.database.states import JOB_ENDED, JobStatus
from service.database.tables import Job, LessonRecord, Run
from service.findings.lessons import Lesson
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Finding
from service.histories import reading
from service.jobs.specs import spec_of
from service.spec.runs import Runs

STATES = NOT_RUN, RUNNING, STOPPED, COMPLETED, JUDGED = ("not run", "running", "stopped", "completed", "judged")


def submit(session: Session, lesson: Lesson, job_ids: dict[str, str]) -> None:
    """Note the jobs of a lesson, by preset; a verdict that earlier ones came to is forgotten."""
    now = datetime.now(UTC)
    row = {"id": lesson.id, "job_ids": job_ids, "submitted_at": now, "judged_at": None, "finding": None}
    # Of two requests at once the later one counts.
    upsert(session, LessonRecord, [row], key=("id",))


def records(session: Session) -> dict[str, LessonRecord]:
    """Give the records of all lessons that were ever submitted."""
    return {record.id: record for record in session.execute(select(LessonRecord)).scalars()}


def jobs_of(session: Session, record: LessonRecord | None) -> dict[str, Job]:
    """Give the jobs of a lesson by preset; those that were deleted are left out."""
    if record is None:
        return {}
    found = session.execute(select(Job).where(Job.id.in_(record.job_ids.values()))).scalars()
    by_id = {job.id: job for job in found}
    return {preset: by_id[job_id] for preset, job_id in record.job_ids.items() if job_id in by_id}


def state(record: LessonRecord | None, jobs: dict[str, Job]) -> str:
    """Tell how far a lesson is; ``stopped`` where a job failed, was cancelled or deleted before it was judged."""
    if record is None:
        return NOT_RUN
    if record.finding is not None:
        return JUDGED
    statuses = {job.status for job in jobs.values()}
    if len(jobs) < len(record.job_ids) or statuses & (JOB_ENDED - {JobStatus.COMPLETED}):
        return STOPPED
    return COMPLETED if statuses == {JobStatus.COMPLETED} else RUNNING


def judged(session: Session, lesson: Lesson, jobs: dict[str, Job]) -> Finding:
    """Judge a lesson by what its completed jobs have recorded."""
    return lesson.judge({preset: _evidence(session, job, lesson.fields) for preset, job in jobs.items()})


def keep(session: Session, record: LessonRecord, finding: Finding) -> None:
    """Keep a finding, unless the lesson has been submitted anew meanwhile."""
    # JSON columns of PostgreSQL take no NaN and no infinity: they are words there, as in every answer.
    content: dict[str, Any] = json.loads(to_json(finding, inf_nan_mode="strings"))
    session.execute(
        update(LessonRecord)
        .where(LessonRecord.id == record.id, LessonRecord.submitted_at == record.submitted_at)
        .values(finding=content, judged_at=datetime.now(UTC))
    )


def _evidence(session: Session, job: Job, fields: tuple[str, ...]) -> Evidence:
    """Read what GET …/runs and GET …/metrics would answer, in one go."""
    spec = spec_of(job)
    runs = Runs(spec)
    rows = session.execute(select(Run.index, Run.status).where(Run.job_key == job.key).order_by(Run.index))
    shown = []
    for index, status in rows:
        run = runs[index]
        shown.append({"label": run.label, "optimizer": run.optimizer, "seed": run.seed, "status": status})
    selection = reading.select_fields(spec, ",".join(fields))
    histories = list(reading.histories(session, job, range(len(shown)), selection))
    return Evidence(job.spec, shown, histories)
