"""Plot of a comparison: the criterion of each label with its interval, and speed-ups over the baseline."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.database.tables import Job
from service.findings.comparison.words import number
from service.findings.plots.compared import MAY_BE_BEST, NOT_BEST, Compared, Row, read_compared
from service.findings.plots.names import short_names
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.rows import BOTTOM, draw_bar, draw_dot, label_room, num_rows, prepare, write_labels
from service.findings.plots.scales import NOT_LOG, limits, set_scale, short
from service.findings.plots.style import DARK, LIGHT, SMALL, Sheet, new_sheet
from service.spec.job import JobSpec

Floats = NDArray[np.float64]
_NOWHERE = (np.nan, np.nan, np.nan)
Interval = tuple[float, float, float]


def draw_comparison(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw medians of the criterion with the 95 % interval of each label, and speed-ups over the baseline.

    Raises:
        Rejected: There is no such baseline or criterion, or no row is stored yet.
    """
    palette = DARK if query.dark else LIGHT
    compared = read_compared(session, job, query, palette)
    rows = compared.rows[: num_rows(query.height, len(compared.rows))]
    medians = [_median(row, compared) for row in rows]
    speeds = [_speed_up(row) for row in rows]
    has_speeds = query.width >= 480 and bool(np.isfinite(np.array(speeds)).any())
    is_share = compared.answer["criterion"]["name"] == "test_accuracy"
    has_logarithms = not (np.array(medians) <= 0).any()
    caption = compared.caption(
        "Left: median and 95\u00a0% interval of each label by itself, sorted by mean.",
        f"{MAY_BE_BEST}, {NOT_BEST}." if compared.marks_best else "",
        "Right: ratio of expected epochs; its intervals hold for all pairs at once." if has_speeds else "",
        NOT_LOG if query.log and not is_share and not has_logarithms else "",
        shown=len(rows),
    )
    sheet = new_sheet(query.width, query.height, palette, job.name, caption)
    left = label_room(sheet, rows)
    axes = sheet.axes(left=left, right=24.0, bottom=BOTTOM, share=(0.0, 0.56 if has_speeds else 1.0))
    _draw_intervals(axes, medians, rows, sheet, compared, log=False if is_share else query.log)
    better = "larger" if compared.answer["criterion"]["larger_is_better"] else "smaller"
    axes.set_xlabel(f"{compared.criterion} ({better} is better)")
    write_labels(axes, sheet, rows, marks_best=compared.marks_best)
    if has_speeds:
        faster = sheet.axes(left=left, right=24.0, bottom=BOTTOM, share=(0.64, 1.0))
        _draw_speeds(faster, speeds, rows, sheet, compared)
    return Picture(sheet, job.name, _words(compared, rows, medians, speeds, has_speeds=has_speeds))


def _median(row: Row, compared: Compared) -> Interval:
    """Give the median of a label by the criterion with its own interval; NaN where there is none."""
    summary = row.setting[compared.answer["criterion"]["name"]]
    return _NOWHERE if summary is None else _interval(summary["median"])


def _speed_up(row: Row) -> Interval:
    """Give the ratio of expected epochs with its interval; a bound is an interval without a value."""
    against = row.setting["against_baseline"]
    if against is None:
        return _NOWHERE
    found = against["speed_up"]
    if found["ratio"] is not None:
        return _interval(found["ratio"])
    if found["at_least"] is not None:
        return (np.nan, float(found["at_least"]), np.inf)
    return _NOWHERE if found["at_most"] is None else (np.nan, -np.inf, float(found["at_most"]))


def _interval(estimate: dict[str, Any]) -> Interval:
    """Give a value and the ends of its interval; the value itself where there is no interval."""
    value = float(estimate["value"])
    ends = [estimate["low"], estimate["high"]]
    low, high = (value if end is None or np.isnan(end) else float(end) for end in ends)
    return (value, low, high)


def _draw_intervals(
    axes: Axes,
    intervals: Sequence[Interval],
    rows: Sequence[Row],
    sheet: Sheet,
    compared: Compared,
    *,
    log: bool | None,
    include: float = np.nan,
) -> None:
    """Draw a dot and a line per row; an infinite end is an arrow at the edge."""
    shown = np.append(np.array(intervals), include)
    finite = shown[np.isfinite(shown)]
    is_log = bool(finite.size and (finite > 0).all()) and log is not False
    low_end, high_end = limits(finite, log=is_log)
    # Room for the arrow of an open end, so that its line has a length.
    if is_log and (shown == np.inf).any():
        high_end *= (high_end / low_end) ** 0.12
    if is_log and (shown == -np.inf).any():
        low_end /= (high_end / low_end) ** 0.12
    set_scale(axes, "x", (low_end, high_end), log=is_log)
    prepare(axes, sheet, len(rows))
    for at, ((value, low, high), row) in enumerate(zip(intervals, rows, strict=True)):
        if not np.isnan(low):
            draw_bar(axes, at, low, high, row.style, width=2.2)
        if np.isfinite(value):
            draw_dot(axes, sheet, at, value, row.style, filled=row.is_best or not compared.claims)


def _draw_speeds(axes: Axes, speeds: Sequence[Interval], rows: Sequence[Row], sheet: Sheet, compared: Compared) -> None:
    """Draw the speed-ups; a row without one has a note."""
    _draw_intervals(axes, speeds, rows, sheet, compared, log=True, include=1.0)
    axes.axvline(1.0, color=sheet.palette.quiet, lw=0.8, zorder=1)
    target = compared.answer["target"]["loss"]
    axes.set_xlabel(f"times fewer epochs to loss {number(target)}")
    for at, (row, (_, low, _)) in enumerate(zip(rows, speeds, strict=True)):
        note = "baseline" if row.setting["is_baseline"] else "neither reaches it" if np.isnan(low) else ""
        axes.text(1.0, at, f" {note}", fontsize=SMALL, color=sheet.palette.quiet, va="center", zorder=4)


def _words(
    compared: Compared, rows: Sequence[Row], medians: list[Interval], speeds: list[Interval], *, has_speeds: bool
) -> str:
    found = compared.answer
    labels = short_names([row.label for row in rows])
    parts = [f"{label} {_written(one)}" for label, one in zip(labels, medians, strict=True)]
    words = f"{found['verdict']} Medians of {compared.criterion} of {found['name']}: {'; '.join(parts)}."
    if not has_speeds:
        return words
    ratios = [f"{label} {_written(one)}" for label, one in zip(labels, speeds, strict=True) if not np.isnan(one[1])]
    return f"{words} Times fewer epochs than {found['baseline']}: {'; '.join(ratios)}."


def _written(interval: Interval) -> str:
    value, low, high = interval
    if np.isnan(value):
        return "unknown" if np.isnan(low) else f"at least {short(low)}" if np.isinf(high) else f"at most {short(high)}"
    return short(value) if low == high else f"{short(value)} ({short(low)} to {short(high)})"
