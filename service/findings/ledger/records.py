"""Records of the lessons: submitted jobs and findings. No function commits."""

import json
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.database.lessons import LessonRecord
from service.database.statements import upsert
from service.database.states import JOB_ENDED, JobStatus
from service.database.tables import Job
from service.findings.lessons import Lesson
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Finding
from service.histories import reading
from service.jobs import run_states
from service.jobs.specs import spec_of
from service.spec.runs import Runs

STATES = NOT_RUN, RUNNING, STOPPED, COMPLETED, JUDGED = ("not run", "running", "stopped", "completed", "judged")


def submit(session: Session, lesson: Lesson, job_ids: dict[str, str]) -> None:
    """Store the jobs of a lesson by preset. Its previous finding stays until these jobs are judged."""
    now = datetime.now(UTC)
    row = {"id": lesson.id, "job_ids": job_ids, "submitted_at": now, "judged_at": None}
    # Of two concurrent requests the later one counts.
    upsert(session, LessonRecord, [row], key=("id",))


def records(session: Session) -> dict[str, LessonRecord]:
    """Return the records of all lessons that have been submitted."""
    return {record.id: record for record in session.execute(select(LessonRecord)).scalars()}


def jobs_of(session: Session, record: LessonRecord | None) -> dict[str, Job]:
    """Return the jobs of a lesson by preset, without deleted ones."""
    if record is None:
        return {}
    found = session.execute(select(Job).where(Job.id.in_(record.job_ids.values()))).scalars()
    by_id = {job.id: job for job in found}
    return {preset: by_id[job_id] for preset, job_id in record.job_ids.items() if job_id in by_id}


def state(record: LessonRecord | None, jobs: dict[str, Job]) -> str:
    """Return the state of the jobs submitted last: ``stopped`` if one failed or is gone before they were judged."""
    if record is None:
        return NOT_RUN
    if is_judged(record):
        return JUDGED
    statuses = {job.status for job in jobs.values()}
    if len(jobs) < len(record.job_ids) or statuses & (JOB_ENDED - {JobStatus.COMPLETED}):
        return STOPPED
    return COMPLETED if statuses == {JobStatus.COMPLETED} else RUNNING


def is_judged(record: LessonRecord) -> bool:
    """Whether the jobs submitted last have been judged."""
    return record.judged_at is not None


def judged(session: Session, lesson: Lesson, jobs: dict[str, Job]) -> Finding:
    """Judge a lesson by the histories of its completed jobs."""
    return lesson.judge({preset: _evidence(session, job, lesson.fields) for preset, job in jobs.items()})


def keep(session: Session, record: LessonRecord, finding: Finding) -> None:
    """Replace the finding of a lesson, unless the lesson was submitted again in the meantime."""
    # JSON columns of PostgreSQL reject NaN and infinity: they are stored as words, as in every response.
    content: dict[str, Any] = json.loads(to_json(finding, inf_nan_mode="strings"))
    session.execute(
        update(LessonRecord)
        .where(LessonRecord.id == record.id, LessonRecord.submitted_at == record.submitted_at)
        .values(finding=content, judged_at=datetime.now(UTC))
    )


def _evidence(session: Session, job: Job, fields: tuple[str, ...]) -> Evidence:
    """Read the runs and histories of a job in one transaction."""
    spec = spec_of(job)
    runs = Runs(spec)
    shown = []
    for row in run_states.read(session, job, range(job.runs_total)):
        run = runs[row.index]
        shown.append({"label": run.label, "optimizer": run.optimizer, "seed": run.seed, "status": row.status})
    selection = reading.select_fields(spec, ",".join(fields))
    histories = list(reading.histories(session, job, range(len(shown)), selection))
    return Evidence(job.spec, shown, histories)
