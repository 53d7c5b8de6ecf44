"""Content of the event stream: the state of a job, and the rows stored after a position, one event at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import orjson
from pydantic_core import to_json
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from service.api.events import cells
from service.api.events.stream_position import WINDOW, StreamPosition
from service.api.schemas.jobs import DecisionAnswer, job_answer
from service.database.connection import Database
from service.database.ids import run_id
from service.database.looks import Look
from service.database.reading import has_first_row, stream
from service.database.spans import Span
from service.database.states import JOB_ENDED, SHARD_ENDED
from service.database.tables import Job, Shard
from service.errors import NotFound
from service.histories.arrays import arrays, named
from service.histories.chosen import RunRange, chosen_runs, inside
from service.histories.reading import Selection
from service.jobs.annotations import tags_of
from service.jobs.progress import progress_of
from service.jobs.specs import chosen_settings, runs_of
from service.spec.runs import Runs

# Rows of one event: about 0.5 MB of JSON with ten fields, or one epoch of a whole shard.
EVENT_ROWS = 2_500
# Rows read for one event if they are thinned.
THINNED_EVENT_ROWS = 100_000


@dataclass(frozen=True)
class ShardState:
    """Stored rows of a shard: those of all epochs before ``end_epoch``."""

    number: int
    first_run: int
    num_runs: int
    end_epoch: int
    has_ended: bool


@dataclass(frozen=True)
class State:
    """A job at one moment. Two states are equal if no event lies between them."""

    status: str
    progress: bytes
    job: bytes
    num_looks: int
    """Looks of a job that decides."""
    shards: tuple[ShardState, ...]
    """Shards from the first one that has not ended, at most WINDOW."""

    @property
    def has_ended(self) -> bool:
        """Whether all rows are stored."""
        return self.status in JOB_ENDED


@dataclass(frozen=True)
class Interest:
    """The runs and fields that a reader selected."""

    ranges: tuple[RunRange, ...]
    selection: Selection
    labels: tuple[str, ...] | None = None
    names: str | None = None

    def in_job(self, job: Job) -> tuple[Runs, "Interest"]:
        """Give the runs of a job and the ranges of this interest, after its first seeds may have chosen settings."""
        fresh = runs_of(job, at_most=True)
        return fresh, replace(self, ranges=tuple(chosen_runs(job.id, fresh, self.labels, self.names)))


@dataclass(frozen=True)
class News:
    """Rows as ``{"runs": [...]}``, None if none of them was selected, and the position after them."""

    position: StreamPosition
    data: bytes | None


def read_state(session: Session, job_key: int, behind: int) -> State | None:
    """Read the state of a job and of its shards from number ``behind`` on; None if the job was deleted."""
    # The job is read first: if it has ended, all rows of its shards are visible to the next query.
    job = session.execute(select(Job).where(Job.key == job_key)).scalar_one_or_none()
    if job is None:
        return None
    totals = progress_of(session, [job_key])
    if job_key not in totals:
        return None
    answer = job_answer(job, totals[job_key], tags=tags_of(session, [job_key]).get(job_key, ()))
    return State(
        status=job.status,
        progress=to_json(answer.progress),
        job=to_json(answer, inf_nan_mode="strings"),
        num_looks=0 if job.decision is None else num_looks(session, job_key),
        shards=tuple(shard_states(session, job_key, behind, behind + WINDOW)),
    )


def num_looks(session: Session, job_key: int) -> int:
    """Count the looks of a job that decides."""
    return session.execute(select(func.count()).where(Look.job_key == job_key)).scalar_one()


def read_looks(database: Database, job_key: int, first: int, end: int) -> list[bytes]:
    """Read the decisions of some looks, in order."""
    query = select(Look.decision).where(Look.job_key == job_key, Look.number >= first, Look.number < end)
    with database.snapshot() as session:
        found = session.execute(query.order_by(Look.number)).scalars().all()
    return [to_json(DecisionAnswer(**decision)) for decision in found]


def shard_states(session: Session, job_key: int, first: int, end: int | None = None) -> Iterator[ShardState]:
    """Read which rows of shards are stored, in order of the shards' numbers."""
    # A shard that has not started is at epoch 0 too. Only the row of epoch 0 shows whether it is stored.
    first_row = has_first_row(job_key, Shard.first_run)
    end_epoch = case((Shard.epoch > 0, Shard.epoch + 1), (first_row, 1), else_=0)
    query = select(Shard.number, Shard.first_run, Shard.num_runs, end_epoch, Shard.status)
    query = query.where(Shard.job_key == job_key, Shard.number >= first).order_by(Shard.number)
    if end is not None:
        query = query.where(Shard.number < end)
    for number, first_run, num_runs, stored, status in session.execute(query):
        yield ShardState(number, first_run, num_runs, stored, status in SHARD_ENDED)


def advance(position: StreamPosition, sent: dict[int, int], known: Sequence[ShardState]) -> StreamPosition:
    """Advance a position: ``sent`` gives for some shards the first epoch that is not sent yet."""
    of_shard = {one.number: one for one in known}
    behind = position.behind
    epochs = {shard: position.epoch(shard) for shard in range(behind, behind + len(position.epochs))} | sent
    while (one := of_shard.get(behind)) is not None and one.has_ended and epochs.get(behind, 0) >= one.end_epoch:
        behind += 1
    last = max((shard for shard, epoch in epochs.items() if epoch > 0 and shard >= behind), default=behind - 1)
    return replace(position, behind=behind, epochs=tuple(epochs.get(shard, 0) for shard in range(behind, last + 1)))


def next_news(database: Database, job: Job, runs: Runs, position: StreamPosition, interest: Interest) -> News | None:
    """Read the rows of the next event after a position; None if all stored rows were sent.

    Raises:
        NotFound: The job has been deleted.
    """
    record_every = runs.spec.record_every
    cell = cells.cell_epochs(runs.spec, interest.selection)
    room = EVENT_ROWS if cell is None else THINNED_EVENT_ROWS
    sent: dict[int, int] = {}
    spans: list[Span] = []
    with database.snapshot() as session:
        if session.execute(select(Job.key).where(Job.key == job.key)).one_or_none() is None:
            raise NotFound(f"job {job.id} has been deleted")
        if runs.num_choosing and chosen_settings(job.decision) is None:
            runs, interest = interest.in_job(session.get_one(Job, job.key))
        known = list(shard_states(session, job.key, position.behind, position.behind + WINDOW))
    for shard in known:
        first, stored = position.epoch(shard.number), shard.end_epoch
        if cell is not None and not shard.has_ended:
            # An incomplete cell is sent when it is complete.
            stored -= stored % cell
        if first >= stored:
            continue
        if room <= 0:
            break
        whole = Span(shard.first_run, shard.first_run + shard.num_runs, first, shard.end_epoch)
        selected = inside(list(interest.ranges), whole)
        num_runs = sum(span.end_run - span.first_run for span in selected)
        epochs = max(1, room // num_runs * record_every) if num_runs else stored
        if cell is not None and num_runs:
            epochs = max(cell, min(epochs, cells.MAX_SPAN_ROWS * record_every))
            epochs -= (first + epochs) % cell
        end = min(stored, first + epochs)
        sent[shard.number] = end
        spans += [replace(span, end_epoch=end) for span in selected]
        room -= num_runs * -(-(end - first) // record_every)
    after = advance(position, sent, known)
    if after == position:
        return None
    return News(after, _rows(database, job, runs, spans, interest.selection, cell))


def _rows(
    database: Database, job: Job, runs: Runs, spans: list[Span], selection: Selection, cell: int | None
) -> bytes | None:
    """Write ``{"runs": [...]}``: the new rows of each run, one column per field."""
    written: list[bytes] = []
    fields = ("epoch", *selection.fields)
    for rows in stream(database, job, spans, selection.columns, runs.spec.record_every):
        if cell is not None:
            rows = cells.thin(rows, cell)
        for index, first, last in rows.runs():
            run = runs[index]
            head = orjson.dumps({"run_id": run_id(job.id, index), "label": run.label, "seed": run.seed})[:-1]
            columns = list(arrays(rows, first, last, fields, selection.dimension))
            written.append(head + b"," + named(fields, columns) + b"}")
    return b'{"runs":[' + b",".join(written) + b"]}" if written else None


def everything(
    session: Session, job_key: int, position: StreamPosition
) -> tuple[list[ShardState], StreamPosition | None]:
    """List the shards with rows after a position, and the position after all of them.

    The new position is None if more shards than WINDOW are unfinished.
    """
    known = list(shard_states(session, job_key, position.behind))
    sent = {one.number: max(one.end_epoch, position.epoch(one.number)) for one in known}
    after = advance(position, sent, known)
    return known, after if len(after.epochs) <= WINDOW else None
