"""What is new in a job since a reader's place? Its state, and the rows that were stored meanwhile, piece by piece."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import orjson
from pydantic_core import to_json
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from service.api.events import cells
from service.api.events.cursor import WINDOW, Place
from service.api.schemas.jobs import job_answer
from service.database.connection import Database
from service.database.ids import run_id
from service.database.reading import has_first_row, stream
from service.database.spans import Span
from service.database.states import JOB_ENDED, SHARD_ENDED
from service.database.tables import Job, Shard
from service.errors import NotFound
from service.histories.arrays import arrays, named
from service.histories.chosen import RunRange, inside
from service.histories.reading import Selection
from service.jobs.progress import progress_of
from service.spec.runs import Runs

# Rows of one event: about half a megabyte of JSON with ten fields, or one epoch of a whole shard.
EVENT_ROWS = 2_500
# Where a client has its rows thinned, little is left of many.
THINNED_EVENT_ROWS = 100_000


@dataclass(frozen=True)
class ShardState:
    """How far the rows of a shard go: those of all epochs before ``end_epoch`` are stored."""

    number: int
    first_run: int
    num_runs: int
    end_epoch: int
    has_ended: bool


@dataclass(frozen=True)
class State:
    """A job at one moment; two states differ where there may be something to tell."""

    status: str
    progress: bytes
    job: bytes
    shards: tuple[ShardState, ...]
    """The first shards that have not ended, and those after them: what is being stored now."""

    @property
    def has_ended(self) -> bool:
        """Whether no row will be added any more."""
        return self.status in JOB_ENDED


@dataclass(frozen=True)
class Interest:
    """Which rows a reader wants."""

    ranges: tuple[RunRange, ...]
    selection: Selection


@dataclass(frozen=True)
class News:
    """The rows between two places, as ``{"runs": [...]}``; None where nothing of interest is among them."""

    place: Place
    data: bytes | None


def look(session: Session, job_key: int, behind: int) -> State | None:
    """Read the state of a job and of its shards from number ``behind`` on; None when the job is gone."""
    # The job first: where it has ended, all that its shards will ever store is visible to what is read next.
    job = session.execute(select(Job).where(Job.key == job_key)).scalar_one_or_none()
    if job is None:
        return None
    answer = job_answer(job, progress_of(session, [job_key])[job_key])
    return State(
        status=job.status,
        progress=to_json(answer.progress),
        job=to_json(answer, inf_nan_mode="strings"),
        shards=tuple(shard_states(session, job_key, behind, behind + WINDOW)),
    )


def shard_states(session: Session, job_key: int, first: int, end: int | None = None) -> Iterator[ShardState]:
    """Read how far the rows of shards go, by number."""
    # Epoch 0 is where a shard begins as well as its first row: only the row itself tells whether it is stored.
    first_row = has_first_row(job_key, Shard.first_run)
    end_epoch = case((Shard.epoch > 0, Shard.epoch + 1), (first_row, 1), else_=0)
    query = select(Shard.number, Shard.first_run, Shard.num_runs, end_epoch, Shard.status)
    query = query.where(Shard.job_key == job_key, Shard.number >= first).order_by(Shard.number)
    if end is not None:
        query = query.where(Shard.number < end)
    for number, first_run, num_runs, stored, status in session.execute(query):
        yield ShardState(number, first_run, num_runs, stored, status in SHARD_ENDED)


def advance(place: Place, told: dict[int, int], known: Sequence[ShardState]) -> Place:
    """Move a place on: ``told`` gives for some shards the first epoch that is still untold."""
    of_shard = {one.number: one for one in known}
    behind = place.behind
    epochs = {shard: place.epoch(shard) for shard in range(behind, behind + len(place.epochs))} | told
    while (one := of_shard.get(behind)) is not None and one.has_ended and epochs.get(behind, 0) >= one.end_epoch:
        behind += 1
    last = max((shard for shard, epoch in epochs.items() if epoch > 0 and shard >= behind), default=behind - 1)
    return replace(place, behind=behind, epochs=tuple(epochs.get(shard, 0) for shard in range(behind, last + 1)))


def next_news(database: Database, job: Job, runs: Runs, place: Place, interest: Interest) -> News | None:
    """Read the next rows after a place, no more than one event takes; None where all that is stored was told.

    Raises:
        NotFound: The job has been deleted.
    """
    record_every = runs.spec.record_every
    cell = cells.cell_epochs(runs.spec, interest.selection)
    room = EVENT_ROWS if cell is None else THINNED_EVENT_ROWS
    told: dict[int, int] = {}
    spans: list[Span] = []
    with database.snapshot() as session:
        if session.execute(select(Job.key).where(Job.key == job.key)).one_or_none() is None:
            raise NotFound(f"job {job.id} has been deleted")
        known = list(shard_states(session, job.key, place.behind, place.behind + WINDOW))
    for shard in known:
        first, stored = place.epoch(shard.number), shard.end_epoch
        if cell is not None and not shard.has_ended:
            # What is begun has to wait for its end.
            stored -= stored % cell
        if first >= stored:
            continue
        if room <= 0:
            break
        whole = Span(shard.first_run, shard.first_run + shard.num_runs, first, shard.end_epoch)
        wanted = inside(list(interest.ranges), whole)
        num_runs = sum(span.end_run - span.first_run for span in wanted)
        epochs = max(1, room // num_runs * record_every) if num_runs else stored
        if cell is not None and num_runs:
            epochs = max(cell, min(epochs, cells.MAX_SPAN_ROWS * record_every))
            epochs -= (first + epochs) % cell
        end = min(stored, first + epochs)
        told[shard.number] = end
        spans += [replace(span, end_epoch=end) for span in wanted]
        room -= num_runs * -(-(end - first) // record_every)
    after = advance(place, told, known)
    if after == place:
        return None
    return News(after, _told(database, job, runs, spans, interest.selection, cell))


def _told(
    database: Database, job: Job, runs: Runs, spans: list[Span], selection: Selection, cell: int | None
) -> bytes | None:
    """Write ``{"runs": [...]}``: each run's new rows, a column per field."""
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


def everything(session: Session, job_key: int, place: Place) -> tuple[list[ShardState], Place | None]:
    """Read all that is stored after a place, and the place behind it; None where a place cannot say it."""
    known = list(shard_states(session, job_key, place.behind))
    after = advance(place, {one.number: max(one.end_epoch, place.epoch(one.number)) for one in known}, known)
    return known, after if len(after.epochs) <= WINDOW else None
