"""What a comparison reads: how every run ended, and what its curve says, in columns and in bounded memory.

Both databases are read by the driver's own fast road straight into numpy: PostgreSQL by binary COPY, SQLite by its
cursor. Histories come in portions of whole runs; only a few numbers per run are kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.curves import Curves
from service.database.epochs import block_of
from service.database.states import RUN_ENDED, RunStatus
from service.database.tables import Job

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Kind = Literal["whole", "real"]

# Rows of histories that are in memory at once: 40 bytes each, and as many again while they are looked at.
MAX_ROWS = 300_000
# The signature, flags and the empty extension before the first row of a binary COPY.
_COPY_HEADER_BYTES = 19
_COPY_TRAILER_BYTES = 2


@dataclass(frozen=True)
class Outcomes:
    """How each of R runs stands. A run that diverged, or ended at a loss that is not finite, has an infinite loss."""

    recorded_R: Bools
    ended_R: Bools
    diverged_R: Bools
    epochs_R: NDArray[np.int64]
    final_R: Floats
    best_R: Floats


@dataclass(frozen=True)
class Portion:
    """Histories of some runs: their indices, their loss curves, and further columns point by point."""

    index_R: NDArray[np.int64]
    curves: Curves
    columns: Mapping[str, Floats]


def read_outcomes(session: Session, job: Job) -> Outcomes:
    """Read how every run of a job stands, by index."""
    ended = ", ".join(f"'{status}'" for status in sorted(RUN_ENDED))
    rows = _read(
        session,
        {
            "index": ("whole", 'r."index"'),
            "recorded": ("whole", "CASE WHEN r.final_loss IS NULL THEN 0 ELSE 1 END"),
            "ended": ("whole", f"CASE WHEN r.status IN ({ended}) THEN 1 ELSE 0 END"),
            "diverged": ("whole", f"CASE WHEN r.status = '{RunStatus.DIVERGED}' THEN 1 ELSE 0 END"),
            "epochs": ("whole", "r.epochs_done"),
            "final": ("real", "r.final_loss"),
            "best": ("real", "r.best_loss"),
        },
        f'FROM runs r WHERE r.job_key = {int(job.key)} ORDER BY r."index"',
    )
    diverged_R = (rows["diverged"] == 1) | ((rows["recorded"] == 1) & ~np.isfinite(rows["final"]))
    return Outcomes(
        recorded_R=rows["recorded"] == 1,
        ended_R=rows["ended"] == 1,
        diverged_R=diverged_R,
        epochs_R=rows["epochs"].astype(np.int64),
        final_R=np.where(diverged_R, np.inf, rows["final"]),
        best_R=np.where(np.isfinite(rows["best"]), rows["best"], np.inf),
    )


def read_last(session: Session, job: Job, fields: list[str]) -> dict[str, Floats]:
    """Read fields of every run's last row, [R] each; NaN where it has none, or it is not a number."""
    if not fields:
        return {}
    wanted: dict[str, tuple[Kind, str]] = {"index": ("whole", 'r."index"')}
    rows = _read(
        session,
        wanted | {name: ("real", f"m.{name}") for name in fields},
        'FROM runs r JOIN metrics m ON m.job_key = r.job_key AND m.run_index = r."index" AND m.epoch = r.epochs_done '
        f"AND {block_of('m.epoch')} = {block_of('r.epochs_done')} "
        f"WHERE r.job_key = {int(job.key)}",
    )
    columns = {name: np.full(job.runs_total, np.nan) for name in fields}
    for name, column in columns.items():
        column[rows["index"]] = rows[name]
    return columns


def read_portions(
    session: Session, job: Job, rows_per_run: int, fields: list[str], runs: tuple[int, int] | None = None
) -> Iterator[Portion]:
    """Read the loss and further fields of all rows, portion by portion; runs without rows are left out."""
    first, last = runs or (0, job.runs_total)
    step = max(1, MAX_ROWS // rows_per_run)
    wanted: dict[str, tuple[Kind, str]] = {
        "index": ("whole", "run_index"), "epoch": ("whole", "epoch"), "loss": ("real", "loss")
    }  # fmt: skip
    for begin in range(first, last, step):
        rows = _read(
            session,
            wanted | {name: ("real", name) for name in fields},
            f"FROM metrics WHERE job_key = {int(job.key)} AND run_index >= {begin} "
            f"AND run_index < {min(last, begin + step)} ORDER BY run_index, epoch",
        )
        if len(rows):
            index_P = rows["index"].astype(np.int64)
            first_R = np.flatnonzero(np.diff(index_P, prepend=index_P[0] - 1))
            epoch_P, loss_P = rows["epoch"].astype(np.int64), rows["loss"].astype(np.float64)
            columns = {name: rows[name].astype(np.float64) for name in fields}
            yield Portion(index_P[first_R], Curves(first_R, epoch_P, loss_P), columns)


def _read(session: Session, columns: Mapping[str, tuple[Kind, str]], rest: str) -> Any:
    """Run a SELECT and give its rows as one structured array; NULL and NaN both become NaN.

    Names and expressions are ours, never a user's text.
    """
    cursor: Any = session.connection().connection.cursor()
    if session.get_bind().dialect.name != "postgresql":
        selected = ", ".join(expression for _, expression in columns.values())
        # A NaN, which SQLite keeps as the text 'NaN', is read by numpy as what it says.
        layout = [(name, "i8" if kind == "whole" else "f8") for name, (kind, _) in columns.items()]
        return np.fromiter(cursor.execute(f"SELECT {selected} {rest}"), dtype=layout)
    casts = {"whole": "CAST({} AS bigint)", "real": "COALESCE(CAST({} AS float8), 'NaN')"}
    selected = ", ".join(casts[kind].format(expression) for kind, expression in columns.values())
    layout = [("num_fields", ">i2")]
    for name, (kind, _) in columns.items():
        layout += [(f"{name}.size", ">i4"), (name, ">i8" if kind == "whole" else ">f8")]
    with cursor, cursor.copy(f"COPY (SELECT {selected} {rest}) TO STDOUT (FORMAT BINARY)") as copy:
        data = b"".join(copy)
    size = np.dtype(layout).itemsize
    count = (len(data) - _COPY_HEADER_BYTES - _COPY_TRAILER_BYTES) // size
    return np.frombuffer(data, dtype=layout, count=count, offset=_COPY_HEADER_BYTES)
