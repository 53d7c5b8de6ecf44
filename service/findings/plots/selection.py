"""Selection of the settings of a job to draw, and of their runs and epochs to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.database.tables import Job, Run
from service.findings.comparison.choice import scores_of
from service.findings.comparison.measured import read_table
from service.findings.comparison.table import Table
from service.histories.chosen import labelled_runs
from service.spec.job import JobSpec

Floats = NDArray[np.float64]
# Most settings in a picture, runs of a setting for its quantiles, and points of a line.
MAX_SETTINGS, MAX_RUNS, MAX_POINTS = 8, 200, 240


@dataclass(frozen=True)
class Series:
    """One setting: its label, the kind of its optimizer, and the indices of the runs to read."""

    label: str
    kind: str
    row: int
    runs: list[int]


@dataclass(frozen=True)
class Chosen:
    """The settings to draw, and a phrase on those omitted (empty if none is)."""

    table: Table
    series: list[Series]
    left_out: str

    @property
    def num_runs(self) -> int:
        """Count the runs of each series."""
        return max((len(one.runs) for one in self.series), default=0)


def choose(
    session: Session, job: Job, spec: JobSpec, labels: Sequence[str] | None, *, max_runs: int = MAX_RUNS
) -> Chosen:
    """Choose settings: those with these labels, or all; if too many, the best of each entry.

    Settings are scored as by a comparison: by the median validation loss, else the median final loss.

    Raises:
        Rejected: There is no such label.
    """
    table = read_table(session, job, spec)
    rows, of = _labelled(table, labels), ""
    total = len(rows)
    if total > MAX_SETTINGS:
        score_S = scores_of(table)
        entries: dict[int, list[int]] = {}
        for row in rows:
            entries.setdefault(table.setting(row).entry, []).append(row)
        best = [min(mine, key=lambda row: float(score_S[row])) for mine in entries.values()]
        rows = sorted(sorted(best, key=lambda row: float(score_S[row]))[:MAX_SETTINGS])
        of = f"of {total:,} settings the best of each label"
        if len(entries) > MAX_SETTINGS:
            of = f"of {total:,} settings of {len(entries)} labels the best {MAX_SETTINGS}"
    # Of seeds with equal histories the table has the first one only.
    num = len(table.run_N)
    drawn = table.run_N[np.unique(np.linspace(0, num - 1, min(num, max_runs)).round().astype(np.int64))]
    if len(drawn) < num:
        of = "; ".join([*filter(None, [of]), f"of {num:,} runs each {len(drawn)}, evenly chosen"])
    series = []
    for row in rows:
        setting = table.setting(row)
        series.append(
            Series(
                setting.label,
                setting.optimizer["kind"],
                row,
                [index for index in table.index_SP[row, drawn].tolist() if index >= 0],
            )
        )
    return Chosen(table, series, of)


def _labelled(table: Table, labels: Sequence[str] | None) -> list[int]:
    if labels is None:
        return list(range(table.num_settings))
    found: dict[int, None] = {}
    for first, last in labelled_runs(table.runs, labels):
        begin, end = table.runs.layout.places(np.array([first, last - 1]))[0].tolist()
        found |= dict.fromkeys(range(begin, end + 1))
    return list(found)


def epochs_to_read(spec: JobSpec, *, early: bool) -> list[int]:
    """Choose epochs among the recorded ones: all, or evenly spaced; with ``early``, more of the first ones."""
    num = spec.rows_per_run - 1  # Rows after that of epoch 0.
    if num < MAX_POINTS:
        positions = np.arange(num + 1)
    elif early:
        # A path changes most at its start: half of the points are even, half even on a logarithmic scale.
        half = MAX_POINTS // 2
        positions = np.unique(np.concatenate([np.linspace(0, num, half), np.geomspace(1, num, half)]).round())
    else:
        positions = np.unique(np.linspace(0, num, MAX_POINTS).round())
    return np.minimum(positions.astype(np.int64) * spec.record_every, spec.epochs).tolist()  # type: ignore[no-any-return]


def diverged_epochs(session: Session, job: Job, runs: list[int]) -> Floats:
    """Give the epoch at which each run diverged, [runs]; infinite for those that did not."""
    query = select(Run.index, Run.diverged_epoch).where(Run.job_key == job.key, Run.index.in_(runs))
    known: dict[int, Any] = dict(session.execute(query).all())
    return np.array([np.inf if known.get(run) is None else float(known[run]) for run in runs])
