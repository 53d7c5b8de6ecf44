"""Plot of a comparison: final losses and speed-ups over the baseline, with intervals."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.job import compare
from service.findings.plots.labels import shorten
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.scales import limits, set_scale, short
from service.findings.plots.style import DARK, LIGHT, SMALL, TEXT, LineStyle, Sheet, line_styles, new_sheet
from service.spec.job import JobSpec

Floats = NDArray[np.float64]
# Largest number of readable rows; the best by rank are shown.
MAX_ROWS = 20
_BOTTOM = 50.0


def draw_comparison(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw medians of the final loss with their 95 % intervals, and speed-ups over the baseline.

    Raises:
        Rejected: There is no such baseline, or no row is stored yet.
    """
    found = compare(session, job, baseline=query.baseline, target=query.target)
    settings = [setting for label in found["labels"] for setting in label["settings"] if setting["final_loss"]]
    if not settings:
        raise Rejected("there is nothing to draw yet: no run has rows")
    palette = DARK if query.dark else LIGHT
    styles = line_styles([setting["optimizer"]["kind"] for setting in settings], palette)
    # The best one at the top, which is the end of the vertical axis.
    order = sorted(range(len(settings)), key=lambda at: (settings[at]["rank"] or 0, _value(settings[at])))
    order = order[: min(MAX_ROWS, int((query.height - 110) / 15))]
    rows, styles = [settings[at] for at in order], [styles[at] for at in order]
    caption = _caption(found, len(settings), len(rows))
    sheet = new_sheet(query.width, query.height, palette, job.name, caption)
    left = min(max(sheet.text_width(shorten(row["label"])) for row in rows) + 26.0, sheet.width * 0.4)
    speeds = [_speed_up(row) for row in rows]
    has_speeds = any(speed is not None for speed in speeds) and sheet.width >= 480
    losses = sheet.axes(left=left, right=24.0, bottom=_BOTTOM, share=(0.0, 0.56 if has_speeds else 1.0))
    medians = [row["final_loss"]["median"] for row in rows]
    _intervals(losses, medians, styles, sheet, log=query.log)
    losses.set_xlabel("final loss")
    losses.set_yticks(range(len(rows)), [shorten(row["label"]) for row in rows])
    for text, style in zip(losses.get_yticklabels(), styles, strict=True):
        text.set_color(style.colour)
        text.set_fontsize(TEXT)
    if has_speeds:
        faster = sheet.axes(left=left, right=24.0, bottom=_BOTTOM, share=(0.64, 1.0))
        _intervals(faster, speeds, styles, sheet, log=True, include=1.0)
        faster.axvline(1.0, color=sheet.palette.quiet, lw=0.8, zorder=1)
        faster.set_yticks([])
        target = short(float(f"{found['target']['loss']:.3g}"))
        faster.set_xlabel(f"times sooner at loss {target}")
        for at, row in enumerate(rows):
            note = "baseline" if row["is_baseline"] else "" if speeds[at] else "no pair in which both reach it"
            faster.text(1.0, at, f" {note}", fontsize=SMALL, color=sheet.palette.quiet, va="center", zorder=4)
    return Picture(sheet, job.name, _words(found, rows))


def _intervals(
    axes: Axes,
    estimates: list[dict[str, Any] | None],
    styles: list[LineStyle],
    sheet: Sheet,
    *,
    log: bool | None,
    include: float | None = None,
) -> None:
    """Draw a dot and a line per row; an infinite value is an arrow at the edge."""
    numbers = [estimate[part] for estimate in estimates if estimate for part in ("value", "low", "high")]
    values = np.array([np.nan if one is None else float(one) for one in [*numbers, include]])
    finite = values[np.isfinite(values)]
    is_log = bool(finite.size and (finite > 0).all()) and log is not False
    low_end, high_end = bounds = limits(values, log=is_log)
    set_scale(axes, "x", bounds, log=is_log)
    axes.set_ylim(len(estimates) - 0.4, -0.6)
    axes.grid(axis="x", color=sheet.palette.faint, lw=0.7)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for at, (estimate, style) in enumerate(zip(estimates, styles, strict=True)):
        if estimate is None:
            continue
        value = float(estimate["value"])
        if not np.isfinite(value):
            axes.plot(high_end, at, marker=">", ms=6, color=style.colour, clip_on=False)
            continue
        low, high = (_end(estimate, end, value) for end in ("low", "high"))
        axes.plot(
            [max(low, low_end), min(high, high_end)], [at, at], color=style.colour, lw=2.2, solid_capstyle="round"
        )
        if np.isinf(high):
            axes.plot(high_end, at, marker=">", ms=4, color=style.colour, clip_on=False)
        axes.plot(value, at, marker="o", ms=6.5, color=style.colour, mec=sheet.palette.ground, mew=1.2, zorder=3)


def _end(estimate: dict[str, Any], end: str, value: float) -> float:
    """Give an end of an interval, or the value if there is no interval."""
    return value if estimate[end] is None or np.isnan(estimate[end]) else float(estimate[end])


def _speed_up(setting: dict[str, Any]) -> dict[str, Any] | None:
    against = setting["against_baseline"]
    return against["speed_up"]["ratio"] if against and against["speed_up"] else None


def _value(setting: dict[str, Any]) -> float:
    value = float(setting["final_loss"]["median"]["value"])
    return np.inf if np.isnan(value) else value


def _caption(found: dict[str, Any], total: int, shown: int) -> str:
    verdict = found["verdict"]
    few = f" The best {shown} of {total} settings." if shown < total else ""
    partial = " The job has not ended; this shows the rows stored so far." if found["partial"] else ""
    return f"{verdict} Medians and geometric means with 95 % intervals over {found['pairs']} pairs.{few}{partial}"


def _words(found: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    medians = []
    for row in rows:
        median = row["final_loss"]["median"]
        known = median["low"] is not None and not np.isnan(median["low"])
        between = f" ({short(median['low'])} to {short(median['high'])})" if known else ""
        medians.append(f"{shorten(row['label'])} {short(median['value'])}{between}")
    return f"Final losses of {found['name']}, medians with 95 % intervals: {'; '.join(medians)}. {found['verdict']}"
