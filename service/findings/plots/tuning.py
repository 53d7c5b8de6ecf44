"""Plot of the benefit of tuning: the expected best score of k settings drawn at random, with its 95 % band."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.database.tables import Job
from service.errors import Rejected
from service.findings.plots.compared import read_compared
from service.findings.plots.labels import fits, label_ends, legend, legend_room, room_for
from service.findings.plots.names import short_names
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.scales import NOT_LOG, limits, set_scale, short
from service.findings.plots.style import DARK, LIGHT, LineStyle, new_sheet
from service.findings.plots.tuned import Tuned, chosen_by, tuned_labels
from service.spec.job import JobSpec

Floats = NDArray[np.float64]
MAX_LINES = 8
_BOTTOM = 50.0
_EXPLAINED = (
    "Line: expected best score of k settings drawn at random with replacement; band: middle 95\u00a0% of the best. A "
    "setting that diverged counts as the untrained start."
)


def draw_tuning(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw one line per label: the expected best score against the number of trials.

    Raises:
        Rejected: No label has several settings, the job maximises, or no row is stored yet.
    """
    palette = DARK if query.dark else LIGHT
    compared = read_compared(session, job, query, palette)
    tuned = tuned_labels(compared)
    if any(one.tuning["expected_best"] is None for one in tuned):
        raise Rejected("there is nothing to draw: the expected best is known for losses that are minimised")
    shown = tuned[:MAX_LINES]
    scores = np.concatenate([_curve(one, part) for one in shown for part in ("loss", "low", "high")])
    has_logarithms = bool((scores[np.isfinite(scores)] > 0).all())
    is_log = has_logarithms and query.log is not False
    parts = [
        f"The best {len(shown)} of {len(tuned)} labels." if len(shown) < len(tuned) else "",
        _EXPLAINED,
        chosen_by(compared),
        NOT_LOG if query.log and not has_logarithms else "",
        compared.partial_words,
    ]
    sheet = new_sheet(query.width, query.height, palette, job.name, " ".join(filter(None, parts)))
    labels, styles = short_names([one.label for one in shown]), [one.style for one in shown]
    direct = fits(sheet, len(shown), _BOTTOM)
    right, above = (room_for(sheet, labels), 0.0) if direct else (24.0, legend_room(sheet, labels))
    axes = sheet.axes(left=66.0, right=right, bottom=_BOTTOM, above=above)
    most = max(one.tuning["num_settings"] for one in shown)
    set_scale(axes, "x", (1.0, float(max(most, 2))), log=True)
    ticks = sorted({k for one in shown for k in one.tuning["expected_best"]["settings_tried"]})
    axes.set_xticks(ticks, [str(k) for k in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    set_scale(axes, "y", limits(scores, log=is_log), log=is_log)
    axes.grid(axis="y", color=palette.faint, lw=0.7)
    axes.set_xlabel("number of trials")
    axes.set_ylabel("expected best loss")
    for one, style in zip(shown, styles, strict=True):
        _draw(axes, one, style)
    if direct:
        label_ends(axes, sheet, labels, styles, [_height(axes, one) for one in shown])
    else:
        legend(axes, sheet, labels, styles)
    return Picture(sheet, job.name, _words(compared.answer["name"], labels, shown))


def _curve(one: Tuned, part: str) -> Floats:
    return np.array(one.tuning["expected_best"][part], dtype=np.float64)


def _draw(axes: Axes, one: Tuned, style: LineStyle) -> None:
    tried = one.tuning["expected_best"]["settings_tried"]
    low, high = _curve(one, "low"), _curve(one, "high")
    axes.fill_between(tried, low, high, color=style.colour, alpha=0.09, lw=0, zorder=2)
    for edge in (low, high):
        axes.plot(tried, edge, color=style.colour, lw=0.6, alpha=0.55, ls=style.line, zorder=2.5)
    axes.plot(tried, _curve(one, "loss"), color=style.colour, lw=1.7, ls=style.line, marker="o", ms=3.5, zorder=3)


def _height(axes: Axes, one: Tuned) -> float:
    """Give the height of the end of a line, from 0 to 1; 1 if it is not finite."""
    last = float(_curve(one, "loss")[-1])
    place = float(axes.transAxes.inverted().transform(axes.transData.transform((1.0, last)))[1])
    return place if np.isfinite(place) else 1.0


def _words(name: str, labels: list[str], shown: list[Tuned]) -> str:
    parts = []
    for label, one in zip(labels, shown, strict=True):
        losses, tried = _curve(one, "loss"), one.tuning["expected_best"]["settings_tried"]
        parts.append(f"{label} {short(float(losses[0]))} with 1 trial, {short(float(losses[-1]))} with {tried[-1]}")
    return f"Expected best loss of {name} against the number of trials: {'; '.join(parts)}. {_EXPLAINED}"
