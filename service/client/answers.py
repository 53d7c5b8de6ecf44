"""Types of the API's answers: plain dictionaries, so that fields added by a newer service are kept."""

from typing import Any, Literal, TypedDict

Json = dict[str, Any]
Status = Literal["queued", "running", "cancelling", "completed", "failed", "cancelled"]
ENDED: frozenset[str] = frozenset({"completed", "failed", "cancelled"})


class Progress(TypedDict):
    """Progress of a job."""

    runs_total: int
    runs_max: int
    runs_ended: int
    runs_diverged: int
    epochs_total: int
    epochs_done: int
    fraction: float


class Job(TypedDict):
    """A job. If it failed, ``error`` has ``reason`` and ``detail``. Times are RFC 3339 in UTC."""

    id: str
    name: str
    status: Status
    created_at: str
    started_at: str | None
    finished_at: str | None
    spec: Json
    progress: Progress
    decision: Json | None
    error: Json | None
    receipt: Json | None
    links: dict[str, str]


class Run(TypedDict):
    """A run: one setting of an optimizer, trained with one seed from one start. Losses are floats, NaN included."""

    id: str
    job_id: str
    index: int
    label: str
    optimizer: Json
    seed: int
    start: list[float] | None
    status: str
    epochs_done: int
    final_loss: float | None
    best_loss: float | None
    best_epoch: int | None
    diverged_epoch: int | None


class Dataset(TypedDict):
    """A dataset. ``columns`` is None in a list where there are more than about 200."""

    id: str
    name: str
    digest: str
    media_type: str
    created_at: str | None
    expires_at: str | None
    rows: int
    bytes: int
    columns: list[Json] | None
    shape: list[int]


class Comparison(TypedDict):
    """The comparison of a job. Only ``verdict``, ``best``, ``ranks`` and ``pairs`` say that a label is better.

    Numbers that are not finite are the texts "NaN", "Infinity" and "-Infinity"; ``number`` reads them.
    """

    job_id: str
    name: str
    status: Status
    partial: bool
    verdict: str
    decision: Json | None
    warnings: list[dict[str, str]]
    criterion: Json
    seeds_needed: int | None
    confidence: float
    seeds: int
    starts: int
    replicates: int
    tuned: bool
    choosing_seeds: int
    best: list[str]
    ranks: list[Json]
    pairs: list[Json]
    baseline: str
    target: Json
    targets: list[Json]
    intervals: Json
    labels: list[Json]
    other_criteria: list[Json]
    theory: Json | None


def number(written: float | str | None) -> float | None:
    """Read a number of the API, which writes "NaN", "Infinity" and "-Infinity" as texts; null is None."""
    return None if written is None else float(written)


def read_run(answer: Json) -> Run:
    """Convert the losses of a run to floats."""
    losses = {name: number(answer[name]) for name in ("final_loss", "best_loss")}
    return Run(**{**answer, **losses})  # type: ignore[typeddict-item]
