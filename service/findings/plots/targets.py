"""Plot over all targets: expected epochs to each loss from easy to hard, and the share of runs that reach it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.words import number
from service.findings.plots.compared import Compared, Row, read_compared
from service.findings.plots.labels import (
    LEGEND_PIXELS,
    MIN_WIDTH,
    SAMPLE_PIXELS,
    fits,
    legend,
    legend_columns,
    legend_room,
    list_beside,
    room_for,
)
from service.findings.plots.names import short_names
from service.findings.plots.picture import Picture
from service.findings.plots.request import PlotQuery
from service.findings.plots.scales import NOT_LOG, limits, set_scale, short
from service.findings.plots.style import DARK, LIGHT, SMALL, Palette, new_sheet
from service.spec.job import JobSpec

Floats = NDArray[np.float64]
MAX_LINES = 8
# Pixels: margins, the gap between the panels, the name of the target.
_BOTTOM, _LEFT, _GAP, _NAME = 50.0, 66.0, 14.0, 14.0
# Height of the panel of shares: a part of the free height, but enough for its ticks.
_SHARES, _LEAST_SHARES = 0.24, 44.0


@dataclass(frozen=True)
class Ladder:
    """L losses from easy to hard for K labels; ``least`` is subtracted on the axis, where the scale needs it.

    Attributes:
        loss_L: The losses.
        epochs_KL: Expected epochs; NaN where no run reaches the loss.
        share_KL: Shares of runs that reach it.
        rises: Whether a larger loss is harder.
    """

    loss_L: Floats
    epochs_KL: Floats
    share_KL: Floats
    least: float
    rises: bool

    def place(self, loss: float) -> float:
        """Give the place of a loss on the axis."""
        return loss - self.least


def draw_targets(session: Session, job: Job, spec: JobSpec, query: PlotQuery) -> Picture:
    """Draw one line per label over all targets; the chosen target is a vertical line.

    Raises:
        Rejected: There are no targets, or no row is stored yet.
    """
    palette = DARK if query.dark else LIGHT
    compared = read_compared(session, job, query, palette)
    labels = short_names([row.label for row in compared.rows[:MAX_LINES]])
    if query.width < MIN_WIDTH:
        # The legend takes at most a fifth of the height.
        labels = labels[: legend_columns(query.width, labels) * max(1, int(query.height / 5 / LEGEND_PIXELS))]
    rows = compared.rows[: len(labels)]
    ladder = _ladder(compared, rows, spec)
    caption = compared.caption(
        "Expected epochs count misses: epochs of all runs divided by the runs that reach the loss. A line ends where "
        "no run reaches it.",
        NOT_LOG if query.log and not _has_logarithms(_places(ladder, compared.answer["target"]["loss"])) else "",
        shown=len(rows),
    )
    sheet = new_sheet(query.width, query.height, palette, job.name, caption)
    styles = [row.style for row in rows]
    direct = fits(sheet, len(rows), _BOTTOM)
    right = room_for(sheet, labels) + SAMPLE_PIXELS if direct else 24.0
    above = _NAME + (0.0 if direct else legend_room(sheet, labels))
    free = sheet.height - sheet.top - _BOTTOM - above
    shares = max(_SHARES * free, _LEAST_SHARES)
    low = sheet.axes(left=_LEFT, right=right, bottom=_BOTTOM, above=above + free - shares)
    axes = sheet.axes(left=_LEFT, right=right, bottom=_BOTTOM + shares + _GAP, above=above)
    target = compared.answer["target"]["loss"]
    for one in (axes, low):
        _set_losses(one, ladder, target, log=query.log)
        if target is not None:
            one.axvline(ladder.place(target), color=palette.quiet, lw=1.0, ls=(0, (4, 3)), zorder=1)
    _draw_epochs(axes, ladder, rows, palette, float(spec.epochs))
    _draw_shares(low, ladder, rows, palette)
    axes.set_ylabel("expected epochs" if free - shares > 120 else "epochs")
    low.set_ylabel("reached")
    low.set_xlabel("loss to reach" + (f", above the least loss {number(ladder.least)}" if ladder.least else ""))
    axes.tick_params(axis="x", which="both", labelbottom=False)
    if target is not None:
        axes.annotate(
            f"target {number(target)}",
            (min(max(ladder.place(target), min(axes.get_xlim())), max(axes.get_xlim())), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=SMALL,
            color=palette.quiet,
        )
    if direct:
        list_beside(axes, sheet, labels, styles)
    else:
        legend(axes, sheet, labels, styles, above=_NAME)
    return Picture(sheet, job.name, _words(compared, labels, ladder))


def _ladder(compared: Compared, rows: Sequence[Row], spec: JobSpec) -> Ladder:
    steps = compared.answer["targets"]
    if not steps:
        raise Rejected("there is nothing to draw: no loss is known that the runs of this job could reach")
    by_label = [{one["label"]: one for one in step["labels"]} for step in steps]
    shares, epochs = (
        [[by_label[at][row.label][name] for at in range(len(steps))] for row in rows]
        for name in ("share_reached", "expected_epochs")
    )
    loss_L = np.array([step["loss"] for step in steps], dtype=np.float64)
    epochs_KL = np.array(epochs, dtype=np.float64)
    least = spec.problem.least_loss
    rises = spec.optimizers[0].maximize
    return Ladder(
        loss_L=loss_L,
        epochs_KL=np.where(np.isfinite(epochs_KL), epochs_KL, np.nan),
        share_KL=np.array(shares, dtype=np.float64),
        least=least if least is not None and not rises and (loss_L > least).all() else 0.0,
        rises=rises,
    )


def _set_losses(axes: Axes, ladder: Ladder, target: float | None, *, log: bool | None) -> None:
    """Set up the axis of losses, harder ones to the right."""
    places = _places(ladder, target)
    is_log = _has_logarithms(places) and log is not False
    set_scale(axes, "x", limits(places, log=is_log), log=is_log)
    if not ladder.rises:
        axes.invert_xaxis()


def _places(ladder: Ladder, target: float | None) -> Floats:
    return np.array([ladder.place(loss) for loss in [*ladder.loss_L, *([] if target is None else [target])]])


def _has_logarithms(places: Floats) -> bool:
    return bool((places > 0).all())


def _draw_epochs(axes: Axes, ladder: Ladder, rows: Sequence[Row], palette: Palette, budget: float) -> None:
    """Draw the expected epochs; more than a run has are those of restarts."""
    known = ladder.epochs_KL[np.isfinite(ladder.epochs_KL) & (ladder.epochs_KL > 0)]
    bounds = limits(np.append(known, budget), log=True)
    set_scale(axes, "y", bounds, log=True)
    axes.grid(axis="y", color=palette.faint, lw=0.7)
    axes.axhline(budget, color=palette.quiet, lw=0.8, ls=(0, (1, 2)), zorder=1)
    axes.annotate(
        "length of a run",
        (0.0, budget),
        xycoords=("axes fraction", "data"),
        xytext=(4, 3),
        textcoords="offset points",
        fontsize=SMALL,
        color=palette.quiet,
        bbox={"facecolor": palette.ground, "edgecolor": "none", "pad": 0.5},
        zorder=1.5,
    )
    places = np.array([ladder.place(loss) for loss in ladder.loss_L])
    # A loss that holds at the start takes no epoch, which has no logarithm.
    for epochs, row in zip(np.maximum(ladder.epochs_KL, bounds[0]), rows, strict=True):
        axes.plot(
            places,
            epochs,
            color=row.style.colour,
            lw=1.7,
            ls=row.style.line,
            marker="o",
            ms=4.5,
            mec=palette.ground,
            mew=0.8,
            zorder=_height(row),
            clip_on=False,
        )


def _draw_shares(axes: Axes, ladder: Ladder, rows: Sequence[Row], palette: Palette) -> None:
    axes.set_ylim(-0.08, 1.08)
    axes.set_yticks([0.0, 0.5, 1.0])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.grid(axis="y", color=palette.faint, lw=0.7)
    places = np.array([ladder.place(loss) for loss in ladder.loss_L])
    for share, row in zip(ladder.share_KL, rows, strict=True):
        axes.plot(places, share, color=row.style.colour, lw=1.4, ls=row.style.line, zorder=_height(row))


def _height(row: Row) -> float:
    """Draw dashed lines over solid ones, so that equal lines are both seen."""
    return 4.0 if row.style.dashes else 3.0


def _words(compared: Compared, labels: Sequence[str], ladder: Ladder) -> str:
    parts = []
    for label, epochs, share in zip(labels, ladder.epochs_KL, ladder.share_KL, strict=True):
        reached = np.flatnonzero(np.isfinite(epochs))
        if len(reached):
            at = reached[-1]
            seen = f"{short(epochs[at])} epochs, {100 * share[at]:.3g} % of the runs"
            parts.append(f"{label} {number(ladder.loss_L[at])} ({seen})")
        else:
            parts.append(f"{label} none")
    found = compared.answer
    hardest = f"Hardest of {len(ladder.loss_L)} losses that {found['name']} reaches"
    return f"{found['verdict']} {hardest}: {'; '.join(parts)}."
