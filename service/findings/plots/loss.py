"""Curves over epochs: for each setting the median of its runs, and a band with the middle 50 % or 90 % of them."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.database.reading import read_points
from service.database.tables import Job
from service.errors import Rejected
from service.findings.plots.labels import fits, label_ends, legend, legend_room, room_for
from service.findings.plots.names import short_names
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.scales import NOT_LOG, limits, set_scale, short
from service.findings.plots.selection import Chosen, choose, diverged_epochs, epochs_to_read
from service.findings.plots.style import DARK, LIGHT, TEXT, LineStyle, Palette, line_styles, new_sheet
from service.spec.job import JobSpec
from service.spec.metric_fields import AXES, FIELDS

Floats = NDArray[np.float64]
BANDS = {"iqr": (0.25, 0.75, "middle half"), "90": (0.05, 0.95, "middle 90 %")}
_BOTTOM = 50.0


@dataclass(frozen=True)
class Curve:
    """Median and band of one setting, [E] each; infinite from the epoch on at which too many runs have diverged."""

    label: str
    kind: str
    low: Floats
    median: Floats
    high: Floats


def quantiles(values_RE: Floats, shares: tuple[float, ...]) -> list[Floats]:
    """Give quantiles over runs, each [E], interpolated linearly (Hyndman and Fan 1996, type 7).

    Infinity is allowed: interpolation between a number and infinity gives infinity. NaN is not.
    """
    sorted_RE = np.sort(values_RE, axis=0)
    last = len(sorted_RE) - 1
    found = []
    for share in shares:
        at = share * last
        below, above = int(np.floor(at)), int(np.ceil(at))
        low_E, high_E, weight = sorted_RE[below], sorted_RE[above], at - below
        with np.errstate(invalid="ignore", over="ignore"):
            between_E = low_E + weight * (high_E - low_E)
        found.append(np.where(low_E == high_E, low_E, np.where(np.isinf(high_E), high_E, between_E)))
    return found


def draw_loss(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw curves of a field, by default the loss.

    Raises:
        Rejected: The problem has no such field, or no row is stored yet.
    """
    if query.field not in spec.problem.fields:
        known = ", ".join(name for name in spec.problem.fields if name in AXES)
        sentence = f"this problem has no {query.field}; there are {known}"
        raise Rejected.at("query", "field", sentence)
    chosen = choose(session, job, spec, query.labels)
    epochs = epochs_to_read(spec, early=False)
    names = short_names([one.label for one in chosen.series])
    curves = []
    for name, one in zip(names, chosen.series, strict=True):
        values_RE = read_points(session, job.key, one.runs, epochs, [query.field])[query.field]
        diverged_R = diverged_epochs(session, job, one.runs)
        lost_RE = np.asarray(epochs)[None, :] >= diverged_R[:, None]
        values_RE[lost_RE] = 0.0 if FIELDS[query.field].is_share else np.inf
        # Fields about updates have no value at epoch 0.
        known_E: NDArray[np.bool_] = np.logical_not(np.isnan(values_RE).any(axis=0))
        reached = int(np.flatnonzero(known_E)[-1]) + 1 if known_E.any() else 0
        values_RE[:, ~known_E] = np.inf
        low_share, high_share, _ = BANDS[query.band]
        low, median, high = quantiles(values_RE[:, :reached], (low_share, 0.5, high_share))
        for part in (low, median, high):
            part[~known_E[:reached]] = np.nan
        curves.append(Curve(name, one.kind, low, median, high))
    if all(np.isnan(curve.median).all() for curve in curves):
        raise Rejected("there is nothing to draw yet: none of the selected runs has rows")
    return _picture(job, spec, query, chosen, curves, np.asarray(epochs, dtype=np.float64))


def _picture(
    job: Job, spec: JobSpec, query: PlotQuery, chosen: Chosen, curves: list[Curve], epochs_E: Floats
) -> Picture:
    palette = DARK if query.dark else LIGHT
    quantity, (_, _, band) = AXES[query.field], BANDS[query.band]
    medians = np.concatenate([curve.median for curve in curves])
    finite = medians[np.isfinite(medians)]
    shown = np.concatenate([medians, *([part for curve in curves for part in (curve.low, curve.high)])])
    if finite.size:
        # Bands far above all medians do not squeeze the curves.
        shown = shown[shown <= float(finite.max()) + 1e3 * float(np.abs(finite).max())]
    is_log = not FIELDS[query.field].is_share and bool(finite.size and (finite > 0).all())
    scale = ""
    if query.log is not None:
        is_log = query.log and bool((finite > 0).any())
        if query.log and finite.size and not is_log:
            scale = NOT_LOG
        elif is_log and (finite <= 0).any():
            scale = "Values at or below 0 are drawn at the lower edge: they have no logarithm."
    caption = f"Median of {chosen.num_runs} runs" if chosen.num_runs > 1 else "One run each"
    caption += f" and band of the {band}" if chosen.num_runs > 2 else ""
    caption += "".join(f"; {part}" for part in filter(None, [chosen.left_out, _diverged(chosen, curves)])) + "."
    caption = " ".join(filter(None, [caption, scale]))
    sheet = new_sheet(query.width, query.height, palette, job.name, caption)
    labels = [curve.label for curve in curves]
    styles = line_styles([curve.kind for curve in curves], palette)
    direct = fits(sheet, len(curves), _BOTTOM)
    right, above = (room_for(sheet, labels), 0.0) if direct else (24.0, legend_room(sheet, labels))
    axes = sheet.axes(left=66.0, right=right, bottom=_BOTTOM, above=above)
    last = max(len(curve.median) for curve in curves) - 1
    set_scale(axes, "x", (0.0, float(epochs_E[last]) or 1.0), log=False)
    bounds = limits(shown, log=is_log)
    set_scale(axes, "y", bounds, log=is_log)
    axes.grid(axis="y", color=palette.faint, lw=0.7)
    axes.set_xlabel("epoch (updates)" if spec.problem.num_examples is None else "epoch")
    axes.set_ylabel(quantity)
    _draw_curves(axes, curves, styles, epochs_E, palette, bounds, has_band=chosen.num_runs > 2)
    if not finite.size:
        axes.text(
            0.5,
            0.5,
            "No median is finite: the runs diverged at the start.",
            transform=axes.transAxes,
            fontsize=TEXT,
            color=palette.quiet,
            ha="center",
            va="center",
        )
    if direct:
        ends = [_height(axes, curve) for curve in curves]
        label_ends(axes, sheet, labels, styles, ends)
    else:
        legend(axes, sheet, labels, styles)
    return Picture(sheet, job.name, _words(job, quantity, caption, curves, epochs_E))


def _draw_curves(
    axes: Axes,
    curves: list[Curve],
    styles: list[LineStyle],
    epochs_E: Floats,
    palette: Palette,
    bounds: tuple[float, float],
    *,
    has_band: bool,
) -> None:
    low_bound, high_bound = bounds
    is_log = axes.get_yscale() == "log"
    for number, (curve, style) in enumerate(zip(curves, styles, strict=True)):
        at = epochs_E[: len(curve.median)]
        if has_band:
            # An infinite edge is drawn outside of the axes, so that the band continues to their edge.
            outside = high_bound * 10 if is_log else high_bound + 10 * (high_bound - low_bound)
            high = np.clip(curve.high, None, outside)
            axes.fill_between(at, curve.low, high, color=style.colour, alpha=0.09, lw=0, zorder=2)
            # The edges distinguish overlapping bands.
            for edge in (curve.low, high):
                axes.plot(at, edge, color=style.colour, lw=0.6, alpha=0.55, ls=style.line, zorder=2.5)
        median = np.where(np.isfinite(curve.median), curve.median, np.nan)
        if is_log:
            median = np.where(median <= 0, low_bound, median)
        axes.plot(
            at,
            median,
            color=style.colour,
            lw=1.7,
            ls=style.line,
            dash_capstyle="butt",
            zorder=3 + 0.01 * number,
            path_effects=[withStroke(linewidth=2.8, foreground=palette.ground, alpha=0.7)]
            if not style.dashes
            else None,
        )
        alone = _alone(median)
        axes.plot(at[alone], median[alone], ls="", marker="o", ms=5, color=style.colour, zorder=4, clip_on=False)


def _alone(values_E: Floats) -> NDArray[np.bool_]:
    """Find the values without a neighbour, through which no line goes."""
    known_E = np.isfinite(values_E)
    beside_E = np.zeros_like(known_E)
    beside_E[1:] |= known_E[:-1]
    beside_E[:-1] |= known_E[1:]
    return known_E & ~beside_E


def _height(axes: Axes, curve: Curve) -> float:
    """Give the height of the end of a line, from 0 to 1; 1 if the line ends at an infinite value."""
    finite = curve.median[np.isfinite(curve.median)]
    if not finite.size or not np.isfinite(curve.median[-1]):
        return 1.0
    point = axes.transAxes.inverted().transform(axes.transData.transform((0.0, float(finite[-1]))))
    return float(point[1]) if np.isfinite(point[1]) else 0.0


def _diverged(chosen: Chosen, curves: list[Curve]) -> str:
    """Write how many runs of the drawn settings diverged."""
    lost = [int(chosen.table.diverged_SN[one.row].sum()) for one in chosen.series]
    counts = [f"{num} of {curve.label}" for num, curve in zip(lost, curves, strict=True) if num]
    return f"runs that diverged count as infinite: {', '.join(counts)}" if counts else ""


def _words(job: Job, quantity: str, caption: str, curves: list[Curve], epochs_E: Floats) -> str:
    ends = []
    for curve in curves:
        last = float(curve.median[-1]) if len(curve.median) else np.nan
        ends.append(f"{curve.label} {'has diverged' if not np.isfinite(last) else f'ends at {short(last)}'}")
    last_epoch = epochs_E[max(len(curve.median) for curve in curves) - 1]
    first = f"{quantity.capitalize()} against epoch, 0 to {last_epoch:g}, of {job.name}."
    return f"{first} {caption} Medians: {'; '.join(ends)}."
