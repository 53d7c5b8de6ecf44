"""Pictures with a row for each label: the label at the left, an interval and a dot at the right."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from service.findings.plots.compared import Row
from service.findings.plots.names import MAX_LETTERS, short_names
from service.findings.plots.style import TEXT, LineStyle, Sheet

BOTTOM = 50.0
# Height of a row in pixels at least, and number of rows at most; the best are shown.
ROW_PIXELS, MAX_ROWS = 15.0, 24
_LABEL_GAP = 26.0
_LEAST_LETTERS = 6


def num_rows(height: int, total: int) -> int:
    """Give the number of readable rows of a picture."""
    return min(total, MAX_ROWS, max(1, int((height - 130) / ROW_PIXELS)))


def label_room(sheet: Sheet, rows: Sequence[Row]) -> float:
    """Give the margin in pixels for the labels at the left."""
    return max(sheet.text_width(name, bold=True) for name in _names(sheet, rows)) + _LABEL_GAP


def _names(sheet: Sheet, rows: Sequence[Row]) -> list[str]:
    """Shorten the labels to at most two fifths of the width, unless they would become equal."""
    labels, most = [row.label for row in rows], MAX_LETTERS
    room = 0.4 * sheet.width - _LABEL_GAP
    while True:
        names = short_names(labels, most)
        widest = max(sheet.text_width(name, bold=True) for name in names)
        if widest <= room or most <= _LEAST_LETTERS:
            return names
        most = max(_LEAST_LETTERS, min(most - 1, int(most * room / widest)))


def prepare(axes: Axes, sheet: Sheet, num: int) -> None:
    """Set up axes with the first row at the top and vertical grid lines."""
    axes.set_ylim(num - 0.4, -0.6)
    axes.grid(axis="x", color=sheet.palette.faint, lw=0.7)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_yticks([])


def write_labels(axes: Axes, sheet: Sheet, rows: Sequence[Row], *, marks_best: bool) -> None:
    """Write the labels at the left; those that may be best are bold."""
    axes.set_yticks(range(len(rows)), _names(sheet, rows))
    for text, row in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_color(row.style.colour)
        text.set_fontsize(TEXT)
        text.set_fontweight("bold" if marks_best and row.is_best else "normal")


def draw_bar(axes: Axes, at: int, low: float, high: float, style: LineStyle, *, width: float, alpha: float = 1) -> None:
    """Draw an interval; an end outside of the axes is an arrow at their edge."""
    first, last = axes.get_xlim()
    inside = np.clip([low, high], first, last)
    axes.plot(inside, [at, at], color=style.colour, lw=width, alpha=alpha, solid_capstyle="round", clip_on=False)
    for end, edge, marker in ((low, first, "<"), (high, last, ">")):
        if (end < first) if marker == "<" else (end > last):
            axes.plot(edge, at, marker=marker, ms=5.5, color=style.colour, clip_on=False, ls="")


def draw_dot(axes: Axes, sheet: Sheet, at: int, value: float, style: LineStyle, *, filled: bool) -> None:
    """Draw the value of a row: a dot, or a ring for a label that is not best."""
    ground = sheet.palette.ground
    axes.plot(
        value,
        at,
        marker="o",
        ms=7.0 if filled else 6.0,
        mfc=style.colour if filled else ground,
        mec=ground if filled else style.colour,
        mew=1.2 if filled else 1.6,
        clip_on=False,
        zorder=3,
    )
